"""What stands in a bucket before something is sent there, listed once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from itertools import islice
from typing import Any, TypeVar

Thing = TypeVar("Thing")

_MOST_HELD = 50_000
_SCHEMA = "CREATE TABLE objects (name TEXT PRIMARY KEY, size, crc32c, generation) WITHOUT ROWID"


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
    """What stands beneath a prefix, listed once; of a listing of millions most is on disk and not in memory."""

    def __init__(self, pages: Iterable[list[dict[str, Any]]]) -> None:
        self._held: dict[str, Standing] = {}
        self._spilled: sqlite3.Connection | None = None
        for page in pages:
            if len(self._held) < _MOST_HELD:
                self._held.update((item["name"], _standing(item)) for item in page)
            else:
                self._spill(page)

    def of(self, names: Sequence[str]) -> dict[str, Standing]:
        """What stands at some of the names."""
        found = {name: self._held[name] for name in names if name in self._held}
        if self._spilled is not None:
            marks = ",".join("?" * len(names))
            rows = self._spilled.execute(f"SELECT * FROM objects WHERE name IN ({marks})", names)
            found.update((name, Standing(*what)) for name, *what in rows)
        return found

    def all(self) -> Iterator[tuple[str, Standing]]:
        """Everything that was listed."""
        yield from self._held.items()
        if self._spilled is not None:
            for name, *what in self._spilled.execute("SELECT * FROM objects"):
                yield name, Standing(*what)

    def _spill(self, page: list[dict[str, Any]]) -> None:
        if self._spilled is None:
            # Without a name SQLite keeps it in a file of its own, which goes with the connection.
            self._spilled = sqlite3.connect("", check_same_thread=False, isolation_level=None)
            self._spilled.execute(_SCHEMA)
        rows = [(item["name"], *astuple(_standing(item))) for item in page]
        self._spilled.execute("BEGIN")
        self._spilled.executemany("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)", rows)
        self._spilled.execute("COMMIT")


def _standing(item: dict[str, Any]) -> Standing:
    return Standing(int(item["size"]), item.get("crc32c", ""), int(item["generation"]))


def batched(things: Iterable[Thing], most: int) -> Iterator[list[Thing]]:
    """The same things, some at a time."""
    remaining = iter(things)
    while some := list(islice(remaining, most)):
        yield some
