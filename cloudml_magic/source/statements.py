"""A cell's text → its top-level statements as plain Python, each with its line; IPython's lines are taken out here."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from cloudml_magic.history import ExecutedCell
from cloudml_magic.source.magic_lines import (
    DROPPED,
    TIMING,
    MagicCall,
    PlainCell,
    environment_assignment,
    magic_call,
    pip_requirements,
    plain_cell,
    without_options,
)


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One top-level statement: its tree, its source text, and the cell's line on which it begins.

    `foreign` says what in it is no Python, where a name that it binds can therefore not travel.
    """

    node: ast.stmt
    text: str
    line: int
    foreign: str = ""


@dataclass(frozen=True, slots=True)
class LeftOutLine:
    """A line that does not travel and that the user is told of."""

    line: int
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class CellStatements:
    """What one cell's text comes to."""

    plain: PlainCell
    statements: tuple[Statement, ...] = ()
    left_out: tuple[LeftOutLine, ...] = ()
    requirements: tuple[str, ...] = ()


def statement_texts(cells: Iterable[ExecutedCell]) -> list[str]:
    """Every statement of the cells that raised nothing, as plain Python."""
    ran = (cell_statements(cell.text).statements for cell in cells if not cell.raised)
    return [statement.text for statements in ran for statement in statements if not statement.foreign]


@lru_cache(maxsize=4096)
def cell_statements(text: str) -> CellStatements:
    """The statements of a cell; a cell that is no Python has none."""
    plain = plain_cell(text)
    if plain.foreign:
        at = plain.magic.at if plain.magic is not None else 1
        name = plain.magic.name if plain.magic is not None else ""
        left_out = () if plain.dropped else (LeftOutLine(at, f"%%{name}", plain.foreign),)
        return CellStatements(plain, left_out=left_out)
    if plain.tree is None:
        return CellStatements(plain)
    reader = _Reader(plain.text)
    for node in plain.tree.body:
        reader.add(node)
    return CellStatements(plain, tuple(reader.statements), tuple(reader.left_out), tuple(reader.requirements))


@dataclass
class _Reader:
    text: str
    statements: list[Statement] = field(default_factory=list)
    left_out: list[LeftOutLine] = field(default_factory=list)
    requirements: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lines = [_bytes(line) for line in self.text.split("\n")]
        self._has_magics = "get_ipython()" in self.text

    def add(self, node: ast.stmt) -> None:
        first = _first_line(node)
        text = self._segment(node)
        if not self._has_magics or "get_ipython()" not in text:
            self.statements.append(Statement(node, text, first))
            return
        replacements: list[tuple[ast.AST, str]] = []
        foreign = ""
        for statement in _statements_within(node):
            for value in _own_magics(statement):
                call = magic_call(value)
                if call is None:
                    continue
                alone = isinstance(statement, ast.Expr) and statement.value is value
                new = self._replacement(call, value.lineno, alone)
                if new is None:
                    foreign = foreign or f"`{call.shown}` is no Python"
                else:
                    replacements.append((statement if alone else value, new))
        if foreign:
            self.left_out.append(LeftOutLine(first, foreign.split("`")[1], "it is no Python that a job could run"))
            self.statements.append(Statement(node, text, first, foreign))
            return
        self._add_rewritten(node, first, replacements)

    def _add_rewritten(self, node: ast.stmt, first: int, replacements: list[tuple[ast.AST, str]]) -> None:
        lines = list(self._lines)
        column, end = _start(node)[1], (node.end_lineno or first, node.end_col_offset or 0)
        for replaced, new in sorted(replacements, key=lambda pair: _start(pair[0]), reverse=True):
            (row, left), (row_end, right) = _start(replaced), _end(replaced)
            tail = lines[row_end - 1][right:]
            if replaced is node:
                end = (row, left + len(_bytes(new)))
            elif row_end == end[0]:
                end = (row, end[1] - right + left + len(_bytes(new)))
            lines[row - 1] = lines[row - 1][:left] + _bytes(new) + tail
            for gone in range(row, row_end):
                lines[gone] = b""
        text = _cut(lines, first, column, *end)
        if text.strip() in {"", "pass"}:
            return
        try:
            body = ast.parse(text).body
        except (SyntaxError, ValueError):
            self.left_out.append(LeftOutLine(first, "an IPython line", "it is no Python that a job could run"))
            return
        for part in body:
            ast.increment_lineno(part, first - 1)
        if len(body) == 1:
            self.statements.append(Statement(body[0], text, first))
            return
        rows = [_bytes(line) for line in text.split("\n")]
        for part in body:
            start = _start(part)
            piece = _cut(rows, start[0] - first + 1, start[1], (part.end_lineno or 0) - first + 1, part.end_col_offset)
            self.statements.append(Statement(part, piece, start[0]))

    def _replacement(self, call: MagicCall, line: int, alone: bool) -> str | None:
        """The Python that stands for a magic; None where its value is wanted and there is none."""
        if call.name in TIMING and (alone or call.name == "time"):
            return without_options(call.name, call.line).rstrip(";") or "pass"
        if not alone:
            return None
        found = pip_requirements(call)
        if found is not None:
            self.requirements += found
            return "pass"
        assigned = environment_assignment(call)
        if assigned is not None:
            value = _environment_value(assigned[1])
            if value is not None:
                return f"import os; os.environ[{assigned[0]!r}] = {value}"
        elif call.name in DROPPED or call.name.startswith("ml_") or call.name in {"env", "set_env"}:
            return "pass"
        self.left_out.append(LeftOutLine(line, call.shown, "it is no Python that a job could run"))
        return "pass"

    def _segment(self, node: ast.stmt) -> str:
        line, column = _start(node)
        return _cut(self._lines, line, column, node.end_lineno or line, node.end_col_offset)


def _environment_value(value: str) -> str | None:
    """The value's source text; IPython fills `{expression}` and `$name` in."""
    import re

    if "{" not in value and "$" not in value:
        return repr(value)
    text = "f" + repr(re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda m: "{" + (m[1] or m[2]) + "}", value))
    try:
        ast.parse(text)
    except SyntaxError:
        return None
    return text


def _start(node: ast.AST) -> tuple[int, int]:
    """Where a node begins, its decorators included."""
    decorators = getattr(node, "decorator_list", None)
    # The `@` stands before the decorator, on the same line unless the user was very creative.
    return getattr(decorators[0] if decorators else node, "lineno", 1), getattr(node, "col_offset", 0)


def _end(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "end_lineno", None) or 1, getattr(node, "end_col_offset", None) or 0


def _first_line(node: ast.stmt) -> int:
    return _start(node)[0]


def _bytes(text: str) -> bytes:
    """Columns in trees count UTF-8 bytes; a lone surrogate must not stop us, only the parser."""
    return text.encode("utf-8", "surrogatepass")


def _cut(lines: list[bytes], first: int, column: int, last: int, end: int | None) -> str:
    if first == last:
        cut = [lines[first - 1][column:end]]
    else:
        cut = [lines[first - 1][column:], *lines[first : last - 1], lines[last - 1][:end]]
    return b"\n".join(cut).decode("utf-8", "surrogatepass")


def _statements_within(node: ast.stmt) -> list[ast.stmt]:
    return [inner for inner in ast.walk(node) if isinstance(inner, ast.stmt)]


def _own_magics(statement: ast.stmt) -> list[ast.expr]:
    """The expressions of a statement, not of the statements in it, that might be magics."""
    found: list[ast.expr] = []
    waiting: list[ast.AST] = [statement]
    while waiting:
        current = waiting.pop()
        for child in ast.iter_child_nodes(current):
            if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
                continue
            if isinstance(child, ast.Call) and magic_call(child) is not None:
                found.append(child)
            else:
                waiting.append(child)
    return found
