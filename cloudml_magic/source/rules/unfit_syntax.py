"""Text that is no Python program: a syntax error in the trained cell, `await` or `return` outside a function."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from cloudml_magic.records import Cell
from cloudml_magic.source.magic_lines import PlainCell
from cloudml_magic.source.rules.refusal import Refusal, place
from cloudml_magic.source.rules.trip import Trip, line_of

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def unreadable(cell: Cell, plain: PlainCell) -> Refusal | None:
    """Why the trained cell is no Python, if it is none."""
    if plain.foreign:
        return Refusal(
            "unfit-syntax", f"{cell.label} is no Python: {plain.foreign}.", "",
            "Train a cell that is written in Python.", cell, 1,
        )  # fmt: skip
    message, line = plain.error or compile_error(plain) or ("", 0)
    if not message:
        return None
    return Refusal("unfit-syntax", f"{place(cell, line)} is no valid Python: {message}.", _shown(plain, line),
                   "Correct the line, then run the cell again.", cell, line)  # fmt: skip


def compile_error(plain: PlainCell) -> tuple[str, int] | None:
    """What the compiler refuses although it parses: `return` outside a function and the like."""
    if plain.tree is None:
        return plain.error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(plain.tree, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        return error.msg or "invalid syntax", error.lineno or 1
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error) or "it is nested too deeply", 1
    return None


def refusals(trip: Trip) -> Iterator[Refusal]:
    """`await` at the top level, which IPython allows and Python does not."""
    for one in trip.chosen:
        awaited = _top_level_await(one.step.statement.node)
        if awaited is not None:
            line = line_of(one.step, awaited)
            yield Refusal(
                "top-level-await", f"{place(one.step.cell, line)} awaits outside a function.",
                "IPython allows this, a Python program does not.",
                "Put it into an `async def` and call that with `asyncio.run(…)`.", one.step.cell, line,
            )  # fmt: skip


def _top_level_await(node: ast.AST) -> ast.AST | None:
    waiting: list[ast.AST] = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, _SCOPES):
            continue
        if isinstance(current, ast.Await | ast.AsyncFor | ast.AsyncWith):
            return current
        waiting += ast.iter_child_nodes(current)
    return None


def _shown(plain: PlainCell, line: int) -> str:
    lines = plain.text.split("\n")
    shown = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    return shown[:120] if shown.isprintable() else ""
