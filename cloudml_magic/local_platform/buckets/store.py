"""Buckets and objects: read, write, list and delete; each write whole or not at all."""

# Names of objects are text, which pathlib would normalise.
# ruff: noqa: PTH102, PTH105, PTH106, PTH112, PTH120, PTH123

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from cloudml_magic.local_platform.buckets.commits import Folders, SharedCommits
from cloudml_magic.local_platform.buckets.conditions import Conditions
from cloudml_magic.local_platform.buckets.digests import Staged, stage, sync_folder
from cloudml_magic.local_platform.buckets.index import ObjectIndex, StoredObject
from cloudml_magic.local_platform.buckets.names import (
    Standing,
    check_bucket_name,
    check_object_name,
    is_bucket_name,
    is_path,
    standing,
)
from cloudml_magic.local_platform.database import Database
from cloudml_magic.local_platform.errors import PlatformError


@dataclass(frozen=True, slots=True)
class StoredBucket:
    """One bucket; `fields` are what its creator said of it."""

    name: str
    fields: Mapping[str, Any]
    metageneration: int
    created: float
    updated: float

    @property
    def generation(self) -> int:
        return 0


class BucketStore:
    """All buckets of one platform; any thread may call."""

    def __init__(self, database: Database, buckets: Path, side: Path) -> None:
        for folder in (buckets, side):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.database = database
        # Resolved once, so that a link above the buckets is no link within one.
        self._buckets = buckets.resolve()
        self._side = side.resolve()
        # No bucket's name begins with a dot, and it is the same file system, so that a rename is whole.
        self.staging = self._buckets / ".staging"
        self.staging.mkdir(exist_ok=True, mode=0o700)
        self.index = ObjectIndex(database, self._buckets, self._side)
        self._commits = SharedCommits(database)
        for leftover in self.staging.glob("staged-*"):
            leftover.unlink(missing_ok=True)

    # --- buckets ---

    def buckets(self) -> list[StoredBucket]:
        names = sorted(entry.name for entry in os.scandir(self._buckets) if entry.is_dir(follow_symlinks=False))
        return [self._bucket(name) for name in names if is_bucket_name(name)]

    def bucket(self, name: str) -> StoredBucket:
        """The bucket, which is any folder that is there; raises 404."""
        self.check_bucket(name)
        return self._bucket(name)

    def check_bucket(self, name: str) -> None:
        """Raises 404 where there is no bucket, without reading what is known of it."""
        if not is_bucket_name(name) or not _is_folder(self.index.root(name)):
            raise PlatformError(404, "The specified bucket does not exist.")

    def create_bucket(self, name: str, fields: Mapping[str, Any]) -> StoredBucket:
        check_bucket_name(name)
        now = time.time()
        with self.database.transaction():
            try:
                (self._buckets / name).mkdir(mode=0o700)
            except FileExistsError:
                raise PlatformError(
                    409, "Your previous request to create the named bucket succeeded and you already own it."
                ) from None
            sync_folder(self._buckets)
            self.database.write(
                "INSERT OR REPLACE INTO buckets VALUES (?,?,?,?,?)", name, json.dumps(fields), 1, now, now
            )
        return self._bucket(name)

    def change_bucket(self, name: str, fields: Mapping[str, Any], conditions: Conditions) -> StoredBucket:
        with self.database.transaction():
            before = self.bucket(name)
            conditions.check(before)
            self.database.write(
                "INSERT OR REPLACE INTO buckets VALUES (?,?,?,?,?)",
                name, json.dumps(fields), before.metageneration + 1, before.created, time.time(),
            )  # fmt: skip
            return self._bucket(name)

    def delete_bucket(self, name: str, conditions: Conditions) -> None:
        with self.database.transaction():
            conditions.check(self.bucket(name))
            root = self._buckets / name
            if self.index.side_names(name) or any(files for _, _, files in os.walk(root)):
                raise PlatformError(409, "The bucket you tried to delete is not empty.")
            _remove_folders(root)
            sync_folder(self._buckets)
            shutil.rmtree(self._side / name, ignore_errors=True)
            self.database.write("DELETE FROM objects WHERE bucket = ?", name)
            self.database.write("DELETE FROM buckets WHERE name = ?", name)

    def _bucket(self, name: str) -> StoredBucket:
        row = self.database.row("SELECT * FROM buckets WHERE name = ?", name)
        if row is None:
            made = (self._buckets / name).stat().st_mtime
            return StoredBucket(name, {}, 1, made, made)
        return StoredBucket(name, json.loads(row["fields"]), row["metageneration"], row["created"], row["updated"])

    # --- objects ---

    def find(self, bucket: str, name: str, generation: int | None = None) -> StoredObject:
        """The object as it is now; raises 404."""
        self.check_bucket(bucket)
        found = self.index.find(bucket, name)
        if found is None or generation not in (None, found.generation):
            raise PlatformError(404, f"No such object: {bucket}/{name}")
        return found

    def open(self, entry: StoredObject) -> tuple[StoredObject, BinaryIO]:
        """The object's file with the entry that describes it, newer than the given one if the file has changed."""
        for _ in range(3):
            try:
                file = _opened(entry.path)
            except OSError:
                entry = self.find(entry.bucket, entry.name)
                continue
            if entry.is_file(os.fstat(file.fileno())):
                return entry, file
            file.close()
            entry = self.find(entry.bucket, entry.name)
        # A file that a job writes all the time: what it holds now is the best answer there is.
        return entry, _opened(entry.path)

    def path_of(self, bucket: str, name: str) -> Path | None:
        """Where an object would lie as a file; None for a name that is no path or a bucket that is none."""
        root = self.index.root(bucket)
        if not is_bucket_name(bucket) or not is_path(root, name):
            return None
        return Path(f"{root}/{name}")

    def stage(self, pieces: Iterator[bytes]) -> Staged:
        return stage(self.staging, pieces)

    def put(
        self,
        bucket: str,
        name: str,
        staged: Staged,
        fields: Mapping[str, Any],
        conditions: Conditions,
        also: Callable[[StoredObject], None] | None = None,
    ) -> StoredObject:
        """Gives a staged file its place, as one step for every reader; `also` runs in the same transaction."""
        check_object_name(name)
        self.check_bucket(bucket)
        self.index.find(bucket, name)  # Hashes a changed file outside the lock.

        def put(folders: Folders) -> StoredObject:
            conditions.check(self.index.find(bucket, name))
            path, side = self._settle(bucket, name, staged.path, folders)
            found = os.lstat(path)
            now = time.time()
            entry = StoredObject(
                bucket=bucket,
                name=name,
                path=path,
                side=side,
                generation=self.index.next_generation(),
                metageneration=1,
                size=staged.size,
                mtime_ns=found.st_mtime_ns,
                inode=found.st_ino,
                settled=True,
                md5=staged.md5,
                crc32c=staged.crc32c,
                fields={"contentType": "application/octet-stream", **fields},
                created=now,
                updated=now,
            )
            self.index.save(entry)
            if also is not None:
                also(entry)
            return entry

        try:
            return self._commits.make(put)
        finally:
            staged.discard()

    def change(
        self, bucket: str, name: str, generation: int | None, fields: Mapping[str, Any], conditions: Conditions
    ) -> StoredObject:
        """Sets what is said of an object; its bytes and generation stay."""
        with self.database.transaction():
            before = self.find(bucket, name, generation)
            conditions.check(before)
            after = replace(before, fields=fields, metageneration=before.metageneration + 1, updated=time.time())
            self.index.save(after)
        return after

    def delete(self, bucket: str, name: str, generation: int | None, conditions: Conditions) -> None:
        def delete(folders: Folders) -> None:
            entry = self.find(bucket, name, generation)
            conditions.check(entry)
            Path(entry.path).unlink(missing_ok=True)
            self.index.forget(bucket, name)
            folders.add(os.path.dirname(entry.path))
            self._prune(bucket, name.rstrip("/") if entry.side else name)

        self._commits.make(delete)

    # --- files ---

    def _settle(self, bucket: str, name: str, staged: Path, folders: Folders) -> tuple[str, bool]:
        root = self.index.root(bucket)
        if standing(root, name)[0] is not Standing.BLOCKED:
            path = f"{root}/{name}"
            with contextlib.suppress(NotADirectoryError, IsADirectoryError, FileExistsError):
                _make_folders(root, os.path.dirname(name), folders)
                os.replace(staged, path)
                folders.add(os.path.dirname(path))
                return path, False
        path = self.index.side_path(bucket, name)
        _make_folders(str(self._side), bucket, folders)
        os.replace(staged, path)
        folders.add(os.path.dirname(path))
        if name.endswith("/") and standing(root, name[:-1])[0] is not Standing.FILE:
            # A folder marker: file browsers and jobs should see the folder.
            with contextlib.suppress(OSError, ValueError):
                if standing(root, name + "x")[0] is Standing.FREE:
                    _make_folders(root, name[:-1], folders)
        return path, True

    def _prune(self, bucket: str, name: str) -> None:
        """Removes the folders that a deleted object leaves empty: they exist only while something is in them."""
        root = self.index.root(bucket)
        stands, _ = standing(root, name + "/x" if name else "x")
        folder = name if stands is Standing.FREE and os.path.isdir(f"{root}/{name}") else os.path.dirname(name)
        while folder and standing(root, folder + "/x")[0] is Standing.FREE:
            if self.database.row("SELECT 1 FROM objects WHERE bucket = ? AND name = ?", bucket, folder + "/"):
                return
            try:
                os.rmdir(f"{root}/{folder}")
            except OSError:
                return
            folder = os.path.dirname(folder)


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _opened(path: str) -> BinaryIO:
    return open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb", buffering=0)


def _make_folders(root: str, path: str, changed: Folders) -> None:
    current = root
    for part in path.split("/") if path else ():
        parent, current = current, f"{current}/{part}"
        try:
            os.mkdir(current, 0o700)
        except FileExistsError:
            continue
        changed.add(parent)


def _remove_folders(root: Path) -> None:
    for folder, folders, _ in os.walk(root, topdown=False):
        for each in folders:
            path = Path(folder) / each
            if path.is_symlink():
                raise PlatformError(409, "The bucket you tried to delete is not empty.")
            path.rmdir()
    root.rmdir()
