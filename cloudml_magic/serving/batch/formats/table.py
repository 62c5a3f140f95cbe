"""CSV with a first line of names: columns that are inputs of the model go to them, else a line is one vector."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Signature
from cloudml_magic.serving.batch.formats.columns import CellError, Columns, row_text
from cloudml_magic.serving.batch.formats.reader import MOST_BYTES, Block, blocks
from cloudml_magic.serving.batch.pieces import LONGEST_INSTANCE, Piece, Place, Refused
from cloudml_magic.serving.batch.shares import Range

_MARK = "\ufeff"


class Table:
    """Reads `csv` as Python's own module does: what stands in quotes may go over several lines."""

    def __init__(self, rows: int, signature: Signature) -> None:
        self._rows = rows
        self._signature = signature
        csv.field_size_limit(LONGEST_INSTANCE)

    def pieces(self, part: Range, place: Place) -> Iterator[Piece]:
        names, first = _header(part, place)
        columns = Columns(names, self._signature, part.address)
        lines = _Lines(blocks(part, first if place.offset == 0 else place, self._rows), place, first)
        rows = csv.reader(lines)
        piece, began = self._new(part, lines.place), lines.place.offset
        while True:
            line = lines.place.line
            try:
                cells = next(rows)
            except StopIteration:
                break
            except csv.Error as problem:
                piece.refused.append(Refused(line, b"null", f"The row is no CSV: {problem}."))
                continue
            if cells:
                _add(piece, columns, line, cells)
            if len(piece.lines) >= self._rows or lines.place.offset - began >= MOST_BYTES:
                yield lines.close(piece)
                piece, began = self._new(part, lines.place), lines.place.offset
        yield lines.close(piece)

    def _new(self, part: Range, place: Place) -> Piece:
        return Piece(part.address, [], [], [], place)


class _Lines:
    """Gives lines to the reader of rows, and knows how far it has got."""

    def __init__(self, source: Iterator[Block], place: Place, first: Place) -> None:
        self.place = first if place.offset == 0 else place
        self._source = source
        self._waiting: Iterator[bytes] = iter(())
        self._too_long: list[Refused] = []
        self._broken = ""
        self._ends: list[int] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._waiting, None)
        while line is None:
            # What a block drops has no bytes here: it says itself where it ends.
            if self._ends:
                self.place = Place(self.place.range, self._ends.pop(), self.place.line)
            block = next(self._source)
            self._too_long += block.too_long
            self._broken = block.broken
            self._ends = [block.offset]
            self._waiting = iter(block.lines)
            line = next(self._waiting, None)
        self.place = Place(self.place.range, self.place.offset + len(line) + 1, self.place.line + 1)
        return line.decode("utf-8", "surrogateescape") + "\n"

    def close(self, piece: Piece) -> Piece:
        """The piece with all that was found on the way to its end."""
        piece.after = self.place
        piece.refused += self._too_long
        piece.broken = self._broken
        self._too_long = []
        return piece


def _header(part: Range, place: Place) -> tuple[list[str], Place]:
    """The names of the columns, and the place after them."""
    start = Place(place.range, 0, 1)
    lines = _Lines(blocks(part, start, 1), start, start)
    for names in csv.reader(lines):
        if names:
            return [names[0].removeprefix(_MARK), *names[1:]], lines.place
    raise CloudMLError(
        "no-header",
        f"{part.address} is empty.",
        why="The first line of a CSV file names its columns.",
        next="Write the names of the columns above the rows.",
    )


def _add(piece: Piece, columns: Columns, line: int, cells: list[str]) -> None:
    try:
        value, text = columns.read(cells)
    except CellError as problem:
        piece.refused.append(Refused(line, row_text(cells), str(problem)))
        return
    piece.lines.append(line)
    piece.texts.append(text)
    piece.values.append(value)
