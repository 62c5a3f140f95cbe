"""What flows through the process: instances in the order of the input, each with its place in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

LONGEST_INSTANCE = 10 * 1024 * 1024
"""What one line may weigh, as an online request may; a longer one is an error of its own."""
_SHOWN = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """How far the input is read: the range of the share, the offset in its object, and the number of the next line."""

    range: int
    offset: int
    line: int


@dataclass(frozen=True, slots=True)
class Refused:
    """An instance that gets no prediction; `text` is what it is, as JSON."""

    line: int
    text: bytes
    error: str


@dataclass(slots=True)
class Piece:
    """Consecutive instances: their lines, what they are as JSON, their values, and those that could not be read."""

    source: str
    lines: list[int]
    texts: list[bytes]
    values: Any
    after: Place
    refused: list[Refused] = field(default_factory=list)
    broken: str = ""


def shown(raw: bytes) -> bytes:
    """Any bytes as a text of JSON, of which much is left out where there is much."""
    import orjson

    text = raw[:_SHOWN].decode("utf-8", "replace")
    return orjson.dumps(text + (f"… ({len(raw):,} bytes)" if len(raw) > _SHOWN else ""))
