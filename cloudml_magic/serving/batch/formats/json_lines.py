"""JSON lines: one instance a line. Lines of numbers go straight into an array."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson

from cloudml_magic.serving.batch.formats.reader import Block, blocks, place_after
from cloudml_magic.serving.batch.pieces import Piece, Place, Refused, shown
from cloudml_magic.serving.batch.shares import Range
from cloudml_magic.serving.json_bodies import array_of_numbers

_DEEPEST = 32
_NO_NUMBERS = (b'"', b"{", b"t", b"f", b"n", b"\r")


class JsonLines:
    """Reads `jsonl`, and `text`, where a line that is no JSON is a text; blank lines are none."""

    def __init__(self, rows: int, *, or_text: bool = False) -> None:
        self._rows = rows
        self._or_text = or_text

    def pieces(self, part: Range, place: Place) -> Iterator[Piece]:
        for block in blocks(part, place, self._rows):
            piece = _of_numbers(block, part, place) or _of_values(block, part, place, self._or_text)
            piece.refused += block.too_long
            piece.broken = block.broken
            yield piece


def _of_numbers(block: Block, part: Range, place: Place) -> Piece | None:
    """All lines at once, if they are regular arrays of numbers of one shape."""
    lines = block.lines
    if not lines or lines[0][:1] != b"[":
        return None
    values = _vectors(lines) if lines[0][1:2] != b"[" else _nested(lines)
    if values is None:
        return None
    numbers = list(range(block.line, block.line + len(lines)))
    return Piece(part.address, numbers, lines, values, place_after(block, place))


def _vectors(lines: list[bytes]) -> Any:
    """Lines that are lists of as many numbers each: read as one flat list that has a null where a line ends."""
    text = b"\n".join(lines)
    width = lines[0].count(b",") + 1
    if any(mark in text for mark in _NO_NUMBERS) or text[-1:] != b"]":
        return None
    is_whole = not any(mark in text for mark in (b".", b"e", b"E"))
    try:
        # A line break within a list lacks its null, and a second list in a line is no JSON then.
        flat = orjson.loads(b"[" + text[1:-1].replace(b"]\n[", b",null,") + b"]")
        if flat[width :: width + 1].count(None) != len(lines) - 1:
            return None
        del flat[width :: width + 1]
        values = np.frombuffer(array("q" if is_whole else "d", flat), np.int64 if is_whole else np.float64)
    except (orjson.JSONDecodeError, OverflowError, TypeError):
        return None
    return values.reshape(len(lines), width) if len(values) == len(lines) * width else None


def _nested(lines: list[bytes]) -> Any:
    """Lines that are regular arrays of several dimensions."""
    text = b"\n".join(lines)
    depth = len(lines[0]) - len(lines[0].lstrip(b"["))
    opening, closing = b"[" * depth, b"]" * depth
    # Each line is one array by itself: no line break stands within one, no two arrays in one line.
    if depth > _DEEPEST or b"\r" in text or not (text.startswith(opening) and text.endswith(closing)):
        return None
    if text.count(closing + b"\n" + opening) != len(lines) - 1:
        return None
    found = array_of_numbers(b"[" + text.replace(b"\n", b",") + b"]")
    return found if found is not None and found.ndim == depth + 1 and len(found) == len(lines) else None


def _of_values(block: Block, part: Range, place: Place, or_text: bool) -> Piece:
    numbered = [(number, line) for number, raw in enumerate(block.lines, block.line) if (line := raw.strip())]
    if or_text:
        numbered = [(number, _as_json(line)) for number, line in numbered]
    refused: list[Refused] = []
    try:
        values: list[Any] = [orjson.loads(line) for _, line in numbered]
    except orjson.JSONDecodeError:
        numbered, values, refused = _one_by_one(numbered)
    lines, texts = [number for number, _ in numbered], [line for _, line in numbered]
    return Piece(part.address, lines, texts, values, place_after(block, place), refused)


def _as_json(line: bytes) -> bytes:
    """The line, or as a text of JSON if it is none."""
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return orjson.dumps(line.decode("utf-8", "replace"))
    return line


def _one_by_one(
    numbered: list[tuple[int, bytes]],
) -> tuple[list[tuple[int, bytes]], list[Any], list[Refused]]:
    good, values, refused = [], [], []
    for number, line in numbered:
        try:
            values.append(orjson.loads(line))
        except orjson.JSONDecodeError as problem:
            refused.append(Refused(number, shown(line), f"The line is no JSON: {problem}."))
        else:
            good.append((number, line))
    return good, values, refused
