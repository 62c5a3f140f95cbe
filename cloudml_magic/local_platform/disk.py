"""Tells a full disk from other trouble, whoever reports it."""

from __future__ import annotations

import errno
import sqlite3

# Without room for its shared memory SQLite speaks of an input or output error.
_SQLITE_NAMES = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")


def is_disk_full(problem: BaseException) -> bool:
    """Whether there was no room left, on the disk or in the user's share of it."""
    if isinstance(problem, OSError):
        return problem.errno in (errno.ENOSPC, errno.EDQUOT)
    if isinstance(problem, sqlite3.Error):
        return getattr(problem, "sqlite_errorname", "") in _SQLITE_NAMES or "is full" in str(problem)
    return False
