"""From cells to a package: what was captured, where it came from, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """One execution of one notebook cell, its text as the editor shows it (magic lines included)."""

    text: str
    number: int | None = None
    id: str | None = None

    @property
    def label(self) -> str:
        """How errors and cards call this cell."""
        return f"In [{self.number}]" if self.number is not None else "In [*]"


@dataclass(frozen=True, slots=True)
class CapturedStatement:
    """A top-level statement that travels, as plain Python, and where it came from.

    `first_line` counts as the editor does: the first line of the cell, its magic line too, is line 1.
    """

    text: str
    cell: Cell
    first_line: int
    binds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CapturedValue:
    """A small plain value of the kernel, written into the module as a constant (`literal` is its source text)."""

    name: str
    literal: str


@dataclass(frozen=True, slots=True)
class ShippedValue:
    """An array, frame or tensor that the user sends along by name; loaded before the code runs."""

    name: str
    kind: str
    summary: str


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A module or package file beside the notebook, at its path relative to the notebook's folder."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file, folder or gs:// address, and the relative path at which the code finds it in the job."""

    address: str
    path: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that does not travel, and why."""

    what: str
    why: str
    cell: Cell | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class CapturedSource:
    """All that a trained cell needs and nothing else, in the order in which it ran."""

    statements: tuple[CapturedStatement, ...]
    values: tuple[CapturedValue, ...] = ()
    shipped: tuple[ShippedValue, ...] = ()
    files: tuple[SourceFile, ...] = ()
    data: tuple[DataFile, ...] = ()
    requirements: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceMapEntry:
    """Lines first..last of the module (from 1) are the cell's lines from `cell_line` on."""

    first: int
    last: int
    cell: str
    cell_line: int


@dataclass(frozen=True, slots=True)
class TrainerPackage:
    """An sdist of a CapturedSource: equal cells, equal bytes."""

    file_name: str
    content: bytes
    sha256: str
    module: str
    requirements: tuple[str, ...]
