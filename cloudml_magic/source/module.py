"""A captured source as the text of one plain Python module, and the map from its lines back to the cells'."""

from __future__ import annotations

import ast
import re

from cloudml_magic.records import CapturedSource, CapturedStatement, Cell, SourceMapEntry

_FUTURE = re.compile(r"from\s+__future__\s")


def render_module(source: CapturedSource, *, standalone: bool = False) -> tuple[str, tuple[SourceMapEntry, ...]]:
    """The module's text and source map; equal sources give equal text.

    Execution numbers are not in the text, so that running the same cells again makes the same module. With
    `standalone` an import of `cloudml_magic` becomes a small `report` of its own.
    """
    writer = _Writer()
    futures = [statement for statement in source.statements if _FUTURE.match(statement.text)]
    for text in dict.fromkeys(statement.text for statement in futures):
        writer.write(text)
    for value in sorted(source.values, key=lambda value: value.name):
        writer.write(f"{value.name} = {value.literal}")
    written = set(map(id, futures))
    for statement in source.statements:
        if id(statement) not in written:
            writer.write_statement(statement, _standalone(statement.text) if standalone else statement.text)
    return writer.text(), tuple(writer.entries)


class _Writer:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.entries: list[SourceMapEntry] = []
        self._cell: Cell | None = None
        self._count = 0

    def write(self, text: str) -> None:
        self.lines += text.split("\n")

    def write_statement(self, statement: CapturedStatement, text: str) -> None:
        from_kernel = statement.first_line == 0
        if statement.cell != self._cell and not from_kernel:
            self._cell = statement.cell
            self._count += 1
            if self.lines:
                self.lines.append("")
            self.lines.append(f"# %% cell {self._count}")
        first = len(self.lines) + 1
        self.write(text)
        if not from_kernel:
            last = len(self.lines)
            self.entries.append(SourceMapEntry(first, last, statement.cell.label, statement.first_line))

    def text(self) -> str:
        return "\n".join(self.lines) + "\n"


def _standalone(text: str) -> str:
    """The statement without an import of ours; as many lines as it needs."""
    if "cloudml_magic" not in text:
        return text
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return text
    changes: list[tuple[ast.stmt, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(_is_ours(alias.name) for alias in node.names):
            changes.append((node, _imports(node)))
        elif isinstance(node, ast.ImportFrom) and not node.level and _is_ours(node.module or ""):
            changes.append((node, "; ".join(_report(alias.asname or alias.name) for alias in node.names)))
    lines = [line.encode("utf-8", "surrogatepass") for line in text.split("\n")]
    for node, new in sorted(changes, key=lambda change: (change[0].lineno, change[0].col_offset), reverse=True):
        end = node.end_lineno or node.lineno
        tail = lines[end - 1][node.end_col_offset :]
        lines[node.lineno - 1 : end] = [lines[node.lineno - 1][: node.col_offset] + new.encode() + tail]
    return b"\n".join(lines).decode()


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == "cloudml_magic"


def _report(name: str) -> str:
    return f"{name} = lambda step=None, **metrics: print({{'step': step, **metrics}})"


def _imports(node: ast.Import) -> str:
    others = [alias for alias in node.names if not _is_ours(alias.name)]
    parts = [f"import {alias.name} as {alias.asname}" if alias.asname else f"import {alias.name}" for alias in others]
    for alias in node.names:
        if _is_ours(alias.name):
            name = alias.asname or "cloudml_magic"
            parts.append(
                f"{name} = __import__('types').SimpleNamespace("
                "report=lambda step=None, **metrics: print({'step': step, **metrics}))"
            )
    return "; ".join(parts)
