"""One execution of a cell, as capture reads it: what history and saved notebooks are turned into."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cloudml_magic.records import Cell


class ExecutedCell(NamedTuple):
    """A cell's text as typed, when and under which id it ran, and whether it raised."""

    text: str
    number: int | None = None
    id: str | None = None
    raised: bool = False

    @property
    def cell(self) -> Cell:
        """The cell, without what became of it."""
        # Imported here, since making all the records takes longer than all else that `%load_ext` does.
        from cloudml_magic.records import Cell

        return Cell(self.text, self.number, self.id)


def latest_selves(cells: list[ExecutedCell]) -> list[ExecutedCell]:
    """The cells without those that raised; of several executions of one cell only the latest, where it stands."""
    ran = [cell for cell in cells if not cell.raised]
    last = {cell.id: index for index, cell in enumerate(ran) if cell.id is not None}
    return [cell for index, cell in enumerate(ran) if cell.id is None or last[cell.id] == index]
