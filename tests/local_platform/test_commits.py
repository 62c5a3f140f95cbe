"""Many writers at once share the disk's time: each durable, each all or nothing."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cloudml_magic.local_platform.buckets.commits import Folders, SharedCommits
from cloudml_magic.local_platform.buckets.conditions import Conditions
from cloudml_magic.local_platform.buckets.store import BucketStore
from cloudml_magic.local_platform.database import Database
from cloudml_magic.local_platform.errors import PlatformError


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "platform.sqlite")
    yield database
    database.close()


@pytest.fixture
def store(database: Database, tmp_path: Path) -> BucketStore:
    store = BucketStore(database, tmp_path / "buckets", tmp_path / "side")
    store.create_bucket("b-1", {})
    return store


def test_writers_at_once_share_syncs(store: BucketStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen writers are all heard, each object has a generation of its own, and folders are synced less often."""
    synced, lock = [], threading.Lock()
    sync = os.fsync

    def counted(descriptor: int) -> None:
        with lock:
            synced.append(Path(f"/proc/self/fd/{descriptor}").is_dir())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", counted)

    def put(number: int) -> int:
        return store.put("b-1", f"d/{number}", store.stage(iter([b"x"])), {}, Conditions()).generation

    with ThreadPoolExecutor(16) as pool:
        generations = list(pool.map(put, range(200)))
    assert len(set(generations)) == 200
    assert synced.count(False) == 200, "each file is on disk"
    assert 0 < synced.count(True) < 200, "folders are synced for several at once"
    assert {path.name for path in Path(store.index.root("b-1"), "d").iterdir()} == set(map(str, range(200)))


def test_of_those_who_commit_together_only_who_fails_fails(store: BucketStore) -> None:
    """Of 16 racers that want to be first at each of 20 names one wins, and nothing else is said to the others."""
    names = [f"n{number % 20}" for number in range(320)]

    def put(name: str) -> bool:
        try:
            store.put("b-1", name, store.stage(iter([b"x"])), {}, Conditions(generation_match=0))
        except PlatformError as problem:
            assert problem.code == 412
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(put, names)) == 20


def test_a_change_that_fails_leaves_no_rows(database: Database) -> None:
    """It is undone by itself; what is committed with it stays."""
    commits = SharedCommits(database)
    add = "INSERT INTO buckets VALUES (?, '{}', 1, 0, 0)"

    def fails(_: Folders) -> None:
        database.write(add, "half")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        commits.make(fails)
    commits.make(lambda _: database.write(add, "whole"))
    assert [row["name"] for row in database.committed_rows("SELECT name FROM buckets")] == ["whole"]


def test_who_reads_does_not_wait_for_a_commit(database: Database) -> None:
    """And sees what is committed; whoever writes sees what it has done so far."""
    add = "INSERT INTO buckets VALUES (?, '{}', 1, 0, 0)"
    with database.transaction():
        database.write(add, "new")
        assert len(database.committed_rows("SELECT name FROM buckets")) == 1
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(database.committed_rows, "SELECT name FROM buckets").result(10) == []
    assert len(database.committed_rows("SELECT name FROM buckets")) == 1


def test_a_list_says_no_more_of_its_objects_than_is_asked(store: BucketStore) -> None:
    """As Google does with `fields`."""
    from cloudml_magic.local_platform.buckets.bodies import asked_fields, object_body, partial_body

    entry = store.put("b-1", "n", store.stage(iter([b"x"])), {"contentType": "a/b"}, Conditions())
    whole = object_body(entry)
    for asked in ("items(name,size)", "items(name,contentType,generation),nextPageToken", "prefixes,items(crc32c)"):
        fields = asked_fields(asked)
        assert fields is not None and partial_body(entry, fields) == {name: whole[name] for name in fields}
    assert partial_body(entry, asked_fields("")) == whole
