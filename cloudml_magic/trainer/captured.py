"""Runs the captured module as `__main__` so that every line knows its cell: tracebacks read `In [7], line 3`."""

from __future__ import annotations
import __future__

import ast
import json
import linecache
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, ModuleType
from typing import Any


@dataclass(frozen=True)
class _Entry:
    first: int
    last: int
    cell: str
    cell_line: int


class CapturedModule:
    """The captured module's code, in pieces that are compiled under their cell's name and line numbers."""

    def __init__(self, folder: str, labels: Mapping[str, str] | None = None) -> None:
        # The package names cells by their place, so that equal cells make equal packages; their labels come beside it.
        labels = labels or {}
        with open(os.path.join(folder, "source_map.json"), encoding="utf-8") as file:
            source_map: dict[str, Any] = json.load(file)
        self.file_name = str(source_map["module"])
        with open(os.path.join(folder, self.file_name), encoding="utf-8") as file:
            self._text = file.read()
        cells: dict[str, str] = source_map.get("cells", {})
        self.cells = {labels.get(place, place): text for place, text in cells.items()}
        self._entries = [
            _Entry(entry["first"], entry["last"], labels.get(entry["cell"], entry["cell"]), entry["cell_line"])
            for entry in source_map["entries"]
        ]
        self._show_sources()

    def is_cell(self, file_name: str) -> bool:
        """Whether a traceback's file name is a cell of the notebook (or a line that capture wrote)."""
        return file_name in self.cells or file_name == self.file_name

    def run_in(self, module: ModuleType) -> None:
        """Executes everything in order, as one program."""
        for code in list(self._pieces()):
            exec(code, module.__dict__)

    def _show_sources(self) -> None:
        # An entry without a time is never looked up on the disk, so tracebacks, `inspect` and AutoGraph find the cell.
        for name, text in [*self.cells.items(), (self.file_name, self._text)]:
            # By line feeds alone, as Python and the editor count; `splitlines` knows eight other ends of a line.
            linecache.cache[name] = (len(text), None, [line + "\n" for line in text.split("\n")], name)

    def _pieces(self) -> Iterator[CodeType]:
        tree = ast.parse(self._text, self.file_name)
        flags = 0
        waiting: list[ast.stmt] = []
        place: tuple[str, int] | None = None
        for statement in tree.body:
            found = self._place(statement)
            if waiting and found != place:
                yield _compiled(waiting, place, flags)
                waiting = []
            place = found
            flags |= _future_flags(statement)
            waiting.append(statement)
        if waiting:
            yield _compiled(waiting, place, flags)

    def _place(self, statement: ast.stmt) -> tuple[str, int]:
        """File name and the distance from the module's lines to its lines."""
        decorators = getattr(statement, "decorator_list", [])
        line = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
        for entry in self._entries:
            if entry.first <= line <= entry.last:
                return entry.cell, entry.cell_line - entry.first
        return self.file_name, 0


def _compiled(statements: list[ast.stmt], place: tuple[str, int] | None, flags: int) -> CodeType:
    file_name, shift = place or ("notebook.py", 0)
    module = ast.Module(body=statements, type_ignores=[])
    if shift:
        ast.increment_lineno(module, shift)
    code: CodeType = compile(module, file_name, "exec", flags=flags, dont_inherit=True)
    return code


def _future_flags(statement: ast.stmt) -> int:
    if not isinstance(statement, ast.ImportFrom) or statement.module != "__future__":
        return 0
    flags = 0
    for alias in statement.names:
        flags |= getattr(__future__, alias.name).compiler_flag
    return flags


def main_module() -> ModuleType:
    """A fresh `__main__` like the kernel's: no file, so that a child process of the code never runs it again."""
    module = ModuleType("__main__")
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = module
    return module
