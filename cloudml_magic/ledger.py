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
    time          REAL NOT NULL,
    parent        TEXT
)
"""
_COLUMNS = "token, name, target, resource_name, time, parent"


@dataclass(frozen=True, slots=True)
class Submission:
    """One line of the ledger.

    `resource_name` is None until the platform's answer is known. `parent` is where the answer is awaited: what the
    job was sent to, None once it is known. A job that is moved has both: what it was, and where it goes.
    """

    token: str
    name: str
    target: Target
    resource_name: str | None
    time: float
    parent: str | None

    @property
    def is_unanswered(self) -> bool:
        """Whether there may be a job whose name is not known here."""
        return self.resource_name is None or self.parent is not None


class Ledger:
    """Reads and writes the table; each call opens the file, so that many kernels share it."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or places.ledger_file()

    def begin(self, token: str, name: str, target: Target, parent: str | None, time: float) -> None:
        """Notes a submission and where it goes before it is sent, so that a lost answer can be looked for there."""
        self._change(
            "INSERT INTO submissions (token, name, target, parent, time) VALUES (?, ?, ?, ?, ?)",
            (token, name, target.value, parent, time),
        )

    def move(self, token: str, parent: str, time: float) -> None:
        """Notes where a submission goes now, before it is sent there."""
        self._change("UPDATE submissions SET parent = ?, time = ? WHERE token = ?", (parent, time, token))

    def complete(self, token: str, resource_name: str) -> None:
        """Notes what the platform called it; no other answer is awaited."""
        self._change("UPDATE submissions SET resource_name = ?, parent = NULL WHERE token = ?", (resource_name, token))

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
                Submission(token, name, Target(target), resource, time, parent)
                for token, name, target, resource, time, parent in found
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
                _add_parent(connection)
                yield connection
        except (OSError, sqlite3.DatabaseError, ValueError) as problem:
            raise CloudMLError(
                "ledger-unusable",
                f"The ledger {self._file} cannot be used.",
                why=str(problem),
                next="Check the folder's rights and the free space; a damaged file may be moved away, its jobs stay.",
            ) from problem


def _add_parent(connection: sqlite3.Connection) -> None:
    """Gives a file of an earlier version its column; of many kernels that open it at once, one does."""
    if _has_parent(connection):
        return
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        if not _has_parent(connection):
            connection.execute("ALTER TABLE submissions ADD COLUMN parent TEXT")


def _has_parent(connection: sqlite3.Connection) -> bool:
    return any(column == "parent" for _, column, *_ in connection.execute("PRAGMA table_info(submissions)"))
