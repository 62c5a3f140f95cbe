"""Checksums of files that need not be read again, since size, times and inode are as they were."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from cloudml_magic.storage.local_files import LocalFile

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (path BLOB PRIMARY KEY, size INTEGER, changed TEXT, crc32c TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (target TEXT PRIMARY KEY, what TEXT, session TEXT) WITHOUT ROWID;
"""
# File times tick in steps of up to 10 ms: a file changed within a step of its last change looks unchanged.
_TICK_NS = 20_000_000


class KnownFiles:
    """A cache of this user's; whatever happens to it costs time and nothing else."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._connection = _opened(file)
        except sqlite3.DatabaseError:
            file.unlink(missing_ok=True)
            self._connection = _opened(file)

    def checksums(self, files: Sequence[LocalFile]) -> dict[str, str]:
        """Of the files that are as they were when they were read last, by their paths."""
        marks = ",".join("?" * len(files))
        paths = {os.fsencode(file.path): file for file in files}
        found = self._do(f"SELECT path, size, changed, crc32c FROM files WHERE path IN ({marks})", *paths)
        return {
            paths[path].path: crc32c
            for path, size, changed, crc32c in found
            if (size, changed) == (paths[path].size, str(paths[path].changed))
        }

    def note(self, files: Iterable[tuple[LocalFile, str]]) -> None:
        """Remembers checksums, but not of what changed just now."""
        limit = time.time_ns() - _TICK_NS
        rows = [
            (os.fsencode(file.path), file.size, str(file.changed), crc32c)
            for file, crc32c in files
            if max(file.changed[:2]) < limit
        ]
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._connection.executemany("INSERT OR REPLACE INTO files VALUES (?,?,?,?)", rows)
            self._connection.commit()

    def session(self, target: str, what: str) -> str | None:
        """The upload of exactly this file that was begun for a target and has not ended."""
        found = self._do("SELECT session FROM sessions WHERE target = ? AND what = ?", target, what)
        return found[0][0] if found else None

    def begin(self, target: str, what: str, session: str) -> None:
        """Remembers an upload, so that another kernel goes on where this one was ended."""
        self._do("INSERT OR REPLACE INTO sessions VALUES (?,?,?)", target, what, session)

    def end(self, target: str) -> None:
        """Forgets an upload that is whole or cannot go on."""
        self._do("DELETE FROM sessions WHERE target = ?", target)

    def _do(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, contextlib.suppress(sqlite3.Error):
            found = self._connection.execute(statement, values).fetchall()
            self._connection.commit()
            return found
        return []


def _opened(file: Path) -> sqlite3.Connection:
    os.close(os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(file, check_same_thread=False, timeout=5)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
    connection.executescript(_SCHEMA)
    return connection
