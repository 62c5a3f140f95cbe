"""What all readers have in common: the seam, and lines of text cut from a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from cloudml_magic.serving.batch.pieces import LONGEST_INSTANCE, Piece, Place, Refused, shown
from cloudml_magic.serving.batch.shares import Range
from cloudml_magic.serving.batch.streams import READ, BrokenInputError, ByteStream, open_stream

MOST_BYTES = 8 * 1024 * 1024
"""A piece ends when its text has grown so long, whatever its rows."""


class Reader(Protocol):
    """Reads one format."""

    def pieces(self, part: Range, place: Place) -> Iterator[Piece]:
        """The instances of a range from a place in it on."""
        ...


@dataclass(slots=True)
class Block:
    """Some lines, without their ends, the first of which has the number `line`; those too long are not kept."""

    line: int
    offset: int
    lines: list[bytes] = field(default_factory=list)
    too_long: list[Refused] = field(default_factory=list)
    broken: str = ""


def blocks(part: Range, place: Place, rows: int) -> Iterator[Block]:
    """The lines of a range; `offset` and `line` of a block are those after it, `line` less its lines."""
    with open_stream(part.path, place.offset, compressed=part.is_compressed) as stream:
        yield from _Cutter(stream, part, place, rows).blocks()


class _Cutter:
    def __init__(self, stream: ByteStream, part: Range, place: Place, rows: int) -> None:
        self._stream = stream
        self._end = part.end
        self._rows = rows
        self._read_to = place.offset
        self._block = Block(place.line, place.offset)
        self._bytes = 0

    def blocks(self) -> Iterator[Block]:
        rest = b""
        dropped = 0
        broken = ""
        while True:
            try:
                chunk = self._stream.read(READ if self._end is None else min(READ, self._end - self._read_to))
            except BrokenInputError as problem:
                # Its last line may be half a line.
                rest, dropped, broken, chunk = b"", 0, str(problem), b""
            if not chunk:
                break
            self._read_to += len(chunk)
            if dropped:
                end = chunk.find(b"\n")
                if end < 0:
                    dropped += len(chunk)
                    continue
                yield from self._drop(rest, dropped + end, 1)
                chunk, rest, dropped = chunk[end + 1 :], b"", 0
            *lines, rest = (rest + chunk).split(b"\n")
            for first in range(0, len(lines), self._rows):
                yield from self._take(lines[first : first + self._rows])
            if len(rest) > LONGEST_INSTANCE:
                rest, dropped = rest[:2000], len(rest)
        if dropped:
            yield from self._drop(rest, dropped, 0)
        elif rest:
            yield from self._take([rest])
        self._block.broken = broken
        if self._block.lines or broken:
            yield self._block

    def _take(self, lines: list[bytes]) -> Iterator[Block]:
        """Fills the block, which leaves when it is full."""
        while lines:
            room = self._rows - len(self._block.lines)
            taken, lines = lines[:room], lines[room:]
            self._block.lines += taken
            size = sum(map(len, taken)) + len(taken)
            self._block.offset += size
            self._bytes += size
            if len(self._block.lines) >= self._rows or self._bytes >= MOST_BYTES:
                yield self._flush()

    def _drop(self, beginning: bytes, size: int, end: int) -> Iterator[Block]:
        """A line too long is a blank one that is known to be refused."""
        if self._block.lines:
            yield self._flush()
        self._block.lines.append(b"")
        self._block.offset += size + end
        error = f"The line has {size:,} bytes; an instance has at most {LONGEST_INSTANCE:,}."
        self._block.too_long.append(Refused(self._block.line, shown(beginning), error))
        yield self._flush()

    def _flush(self) -> Block:
        full = self._block
        self._block = Block(full.line + len(full.lines), full.offset)
        self._bytes = 0
        return full


def place_after(block: Block, place: Place) -> Place:
    """Where to go on after a block."""
    return Place(place.range, block.offset, block.line + len(block.lines))
