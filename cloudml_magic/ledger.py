"""The list of what this user submitted: one table, so that a name finds its jobs from any kernel."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cloudml_magic import places
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Target

_TABLE = """
CREATE TABLE IF NOT EXISTS submissions (
    number        INTEGER PRIMARY KEY AUTOINCREMENT,
    token         TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    target        TEXT NOT NULL,
    resource_name TEXT,
    time          REAL NOT NULL
)
"""
_COLUMNS = "token, name, target, resource_name, time"


@dataclass(frozen=True, slots=True)
class Submission:
    """One line of the ledger; `resource_name` is None until the platform's answer is known."""

    token: str
    name: str
    target: Target
    resource_name: str | None
    time: float


class Ledger:
    """Reads and writes the table; each call opens the file, so that many kernels share it."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or places.ledger_file()

    def begin(self, token: str, name: str, target: Target, time: float) -> None:
        """Notes a submission before it is sent, so that a lost answer can be looked for."""
        self._change(
            "INSERT INTO submissions (token, name, target, time) VALUES (?, ?, ?, ?)", (token, name, target.value, time)
        )

    def complete(self, token: str, resource_name: str) -> None:
        """Notes what the platform called it."""
        self._change("UPDATE submissions SET resource_name = ? WHERE token = ?", (resource_name, token))

    def forget(self, token: str) -> None:
        """Takes a line out: the submission was refused, or its job is deleted."""
        self._change("DELETE FROM submissions WHERE token = ?", (token,))

    def forget_target(self, target: Target) -> None:
        """Takes out every line of a target: its platform was emptied."""
        self._change("DELETE FROM submissions WHERE target = ?", (target.value,))

    def named(self, name: str) -> list[Submission]:
        """The submissions of a name, latest first."""
        return self._rows("WHERE name = ? ORDER BY number DESC", (name,))

    def latest(self) -> list[Submission]:
        """All submissions, latest first."""
        return self._rows("ORDER BY number DESC", ())

    def of_resource(self, resource_name: str) -> Submission | None:
        """The submission that became this resource."""
        return next(iter(self._rows("WHERE resource_name = ?", (resource_name,))), None)

    def in_cloud(self, most: int) -> list[Submission]:
        """The latest submissions to the cloud that arrived."""
        return self._rows(
            "WHERE target = ? AND resource_name IS NOT NULL ORDER BY number DESC LIMIT ?", (Target.CLOUD.value, most)
        )

    def _rows(self, tail: str, parameters: tuple[object, ...]) -> list[Submission]:
        with self._open() as connection:
            found = connection.execute(f"SELECT {_COLUMNS} FROM submissions {tail}", parameters)
            return [
                Submission(token, name, Target(target), resource, time) for token, name, target, resource, time in found
            ]

    def _change(self, statement: str, parameters: tuple[object, ...]) -> None:
        with self._open() as connection, connection:
            connection.execute(statement, parameters)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with closing(sqlite3.connect(self._file, timeout=10)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=FULL")
                connection.execute(_TABLE)
                yield connection
        except (OSError, sqlite3.DatabaseError, ValueError) as problem:
            raise CloudMLError(
                "ledger-unusable",
                f"The ledger {self._file} cannot be used.",
                why=str(problem),
                next="Check the folder's rights and the free space; a damaged file may be moved away, its jobs stay.",
            ) from problem
