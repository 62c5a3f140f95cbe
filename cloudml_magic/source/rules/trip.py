"""What the rules look at: the chosen statements and where they are to run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cloudml_magic.records import Cell, DataFile
from cloudml_magic.source.slice import Chosen, Step


@dataclass(frozen=True, slots=True)
class Trip:
    """A capture before it is let go. `static` where a saved notebook is read and no kernel has run it."""

    chosen: tuple[Chosen, ...]
    folder: Path
    static: bool
    constants: Mapping[str, str]
    data: tuple[DataFile, ...] = ()
    environment: frozenset[str] = frozenset()
    warnings: list[str] = field(default_factory=list)


def line_of(step: Step, node: ast.AST) -> int:
    """The cell's line on which a part of a step's statement stands."""
    return getattr(node, "lineno", step.statement.line)


def first_use(chosen: tuple[Chosen, ...], name: str) -> tuple[Cell, int] | None:
    """Where a name is used, the latest statement first: that is the one the user has before them."""
    for one in reversed(chosen):
        for node in ast.walk(one.step.statement.node):
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
                return one.step.cell, line_of(one.step, node)
    return None


def calls(chosen: tuple[Chosen, ...]) -> Iterator[tuple[Step, ast.Call]]:
    """Every call in the statements that travel, in order."""
    for one in chosen:
        found = [node for node in ast.walk(one.step.statement.node) if isinstance(node, ast.Call)]
        for call in sorted(found, key=lambda node: (node.lineno, node.col_offset)):
            yield one.step, call
