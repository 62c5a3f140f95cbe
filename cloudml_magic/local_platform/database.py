"""The platform's SQLite file: one connection, one lock, and nothing acknowledged before it is on disk."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    location TEXT NOT NULL,
    token TEXT UNIQUE,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    note TEXT,
    created REAL NOT NULL,
    updated REAL NOT NULL,
    started REAL,
    ended REAL,
    error_code INTEGER,
    error_message TEXT,
    kind TEXT NOT NULL DEFAULT 'training',
    model TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state);
CREATE TABLE IF NOT EXISTS training_pipelines (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    location TEXT NOT NULL,
    body TEXT NOT NULL,
    job TEXT NOT NULL,
    model TEXT,
    created REAL NOT NULL,
    outcome TEXT
);
CREATE TABLE IF NOT EXISTS ml_jobs (
    id TEXT PRIMARY KEY,
    body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ml_versions (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    model TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    error TEXT,
    created REAL NOT NULL,
    UNIQUE (model, name)
);
CREATE TABLE IF NOT EXISTS operations (
    id TEXT PRIMARY KEY,
    location TEXT NOT NULL,
    parent TEXT NOT NULL,
    body TEXT NOT NULL,
    created REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS work (
    operation TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    arguments TEXT NOT NULL,
    cancelled INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS models (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    last_version INTEGER NOT NULL,
    created REAL NOT NULL,
    updated REAL NOT NULL,
    PRIMARY KEY (location, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS model_versions (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    location TEXT NOT NULL,
    model TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    aliases TEXT NOT NULL,
    pinned TEXT NOT NULL,
    created REAL NOT NULL,
    updated REAL NOT NULL,
    UNIQUE (location, model, version)
);
CREATE TABLE IF NOT EXISTS endpoints (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    traffic TEXT NOT NULL,
    created REAL NOT NULL,
    updated REAL NOT NULL,
    UNIQUE (location, id)
);
CREATE TABLE IF NOT EXISTS deployments (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    location TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    model_location TEXT NOT NULL,
    model TEXT NOT NULL,
    version INTEGER NOT NULL,
    message TEXT NOT NULL,
    created REAL NOT NULL,
    updated REAL NOT NULL,
    UNIQUE (location, endpoint, id)
);
CREATE TABLE IF NOT EXISTS buckets (
    name TEXT PRIMARY KEY,
    fields TEXT NOT NULL,
    metageneration INTEGER NOT NULL,
    created REAL NOT NULL,
    updated REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL,
    name TEXT NOT NULL,
    side INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    metageneration INTEGER NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    md5 TEXT NOT NULL,
    crc32c TEXT NOT NULL,
    fields TEXT NOT NULL,
    created REAL NOT NULL,
    updated REAL NOT NULL,
    PRIMARY KEY (bucket, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY,
    bucket TEXT NOT NULL,
    name TEXT NOT NULL,
    request TEXT NOT NULL,
    result TEXT,
    created REAL NOT NULL
);
"""

_LATER_COLUMNS = {"kind": "TEXT NOT NULL DEFAULT 'training'", "model": "TEXT NOT NULL DEFAULT '{}'"}


class Database:
    """A connection that threads share; `lock` also guards what must change together with the rows."""

    def __init__(self, file: Path) -> None:
        self.lock = threading.RLock()
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # SQLite gives its -wal and -shm files the mode of the database, so it must be private from the start.
        os.close(os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None, timeout=30)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(_SCHEMA)
        self._add_columns()
        # A commit waits for the disk; who reads objects meanwhile need not wait for it.
        self._reading = sqlite3.connect(file, check_same_thread=False, isolation_level=None, timeout=30)
        self._reading.row_factory = sqlite3.Row
        self._reading_lock = threading.Lock()
        self._writer: int | None = None

    def _add_columns(self) -> None:
        """What a database of an earlier version lacks."""
        known = {row["name"] for row in self._connection.execute("PRAGMA table_info(jobs)")}
        for name, rule in _LATER_COLUMNS.items():
            if name not in known:
                self._connection.execute(f"ALTER TABLE jobs ADD COLUMN {name} {rule}")

    def rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        with self.lock:
            return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, *values: Any) -> sqlite3.Row | None:
        with self.lock:
            found: sqlite3.Row | None = self._connection.execute(statement, values).fetchone()
            return found

    def committed_rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """As `rows`, without waiting for a commit that goes on; within a transaction with what it has done so far."""
        if self._writer == threading.get_ident():
            return self.rows(statement, *values)
        with self._reading_lock:
            return self._reading.execute(statement, values).fetchall()

    def write(self, statement: str, *values: Any) -> int:
        """Runs one changing statement, durable on return unless in a transaction; returns the rows that it changed."""
        with self.lock:
            return self._connection.execute(statement, values).rowcount

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; durable on leaving the outermost one."""
        with self.lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._writer = threading.get_ident()
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # On a full disk SQLite may have rolled back by itself, and a commit that failed leaves all open.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._writer = None

    @contextlib.contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of a transaction that is undone where it fails, without the rest."""
        with self.lock:
            self._connection.execute("SAVEPOINT part")
            try:
                yield
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK TO part")
                raise
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("RELEASE part")

    def close(self) -> None:
        with self.lock, self._reading_lock:
            self._connection.close()
            self._reading.close()
