"""The database on a full disk."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from cloudml_magic.local_platform.database import Database
from cloudml_magic.local_platform.disk import is_disk_full


def test_a_write_that_found_no_room_leaves_nothing_open(tmp_path: Path) -> None:
    """What did not fit is undone as a whole, says that the disk is full, and the next transaction is a durable one."""
    database = Database(tmp_path / "platform.sqlite")
    pages = database.row("PRAGMA page_count")
    assert pages is not None
    database.row(f"PRAGMA max_page_count = {pages[0]}")
    add = "INSERT INTO operations VALUES (?, 'here', 'job', ?, 0)"
    with pytest.raises(sqlite3.OperationalError) as caught, database.transaction():
        database.write(add, "small", "x")
        database.write(add, "large", "x" * 100_000)
    assert is_disk_full(caught.value)
    database.row("PRAGMA max_page_count = 100000")
    with database.transaction():
        database.write(add, "later", "x" * 100_000)
    database.close()
    again = Database(tmp_path / "platform.sqlite")
    assert [row["id"] for row in again.rows("SELECT id FROM operations")] == ["later"]
    again.close()
