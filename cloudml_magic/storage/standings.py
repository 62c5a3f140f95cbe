"""What stands in a bucket before something is sent there, listed once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands at a name before something is sent there; generation 0 is nothing."""

    size: int = -1
    crc32c: str = ""
    generation: int = 0

    def holds(self, size: int, crc32c: str | None) -> bool:
        """Whether it is this content that stands there."""
        return self.size == size and self.crc32c == crc32c


class Standings:
    """What stands beneath a prefix, listed once; a listing of millions is on disk and not in memory."""

    def __init__(self, pages: Iterator[list[dict[str, Any]]]) -> None:
        self._rows = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._rows.execute(
            "CREATE TABLE objects (name TEXT PRIMARY KEY, size INTEGER, crc32c TEXT, generation INTEGER) WITHOUT ROWID"
        )
        for page in pages:
            self._rows.execute("BEGIN")
            self._rows.executemany(
                "INSERT OR REPLACE INTO objects VALUES (:name, :size, :crc32c, :generation)",
                ({"crc32c": "", **item} for item in page),
            )
            self._rows.execute("COMMIT")

    def of(self, names: Sequence[str]) -> dict[str, Standing]:
        """What stands at some of the names."""
        marks = ",".join("?" * len(names))
        found = self._rows.execute(f"SELECT * FROM objects WHERE name IN ({marks})", names)
        return {name: Standing(size, crc32c, generation) for name, size, crc32c, generation in found}

    def all(self) -> Iterator[tuple[str, Standing]]:
        """Everything that was listed."""
        for name, size, crc32c, generation in self._rows.execute("SELECT * FROM objects ORDER BY name"):
            yield name, Standing(size, crc32c, generation)


def batched(things: Iterable[Thing], most: int) -> Iterator[list[Thing]]:
    """The same things, some at a time."""
    remaining = iter(things)
    while some := list(islice(remaining, most)):
        yield some
