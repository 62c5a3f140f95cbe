"""Packages of strangers unpack inside their folder or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudml_magic.local_platform.jobs.archives import UnsafeArchiveError, unpack

from .hostile_archives import HOSTILE_TARS, HOSTILE_ZIPS

HOSTILE = HOSTILE_TARS | HOSTILE_ZIPS


def test_there_are_thirty_ways_to_be_hostile() -> None:
    """The corpus does not shrink."""
    assert len(HOSTILE) >= 30


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_writes_nothing(tmp_path: Path, name: str) -> None:
    """It is refused before the first file, and nothing lies outside."""
    archive = tmp_path / "archive"
    archive.write_bytes(HOSTILE[name]())
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    with pytest.raises(UnsafeArchiveError):
        unpack(archive, folder)
    assert [path for path in tmp_path.rglob("*") if path.is_file() or path.is_symlink()] == [archive]
    assert not Path("/tmp/cloudml-evil.py").exists()
