"""One execution of a cell, as capture reads it: what history and saved notebooks are turned into."""

from __future__ import annotations

from dataclasses import dataclass

from cloudml_magic.records import Cell


@dataclass(frozen=True, slots=True)
class ExecutedCell:
    """A cell's text as typed, when and under which id it ran, and whether it raised."""

    text: str
    number: int | None = None
    id: str | None = None
    raised: bool = False

    @property
    def cell(self) -> Cell:
        return Cell(self.text, self.number, self.id)


def latest_selves(cells: list[ExecutedCell]) -> list[ExecutedCell]:
    """The cells without those that raised; of several executions of one cell only the latest, where it stands."""
    ran = [cell for cell in cells if not cell.raised]
    last = {cell.id: index for index, cell in enumerate(ran) if cell.id is not None}
    return [cell for index, cell in enumerate(ran) if cell.id is None or last[cell.id] == index]
