"""An object as it is listed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object by its name within what was listed, or by its whole name; times are seconds since the epoch."""

    name: str
    size: int
    updated: float | None
    content_type: str
    crc32c: str = ""
    generation: int = 0
