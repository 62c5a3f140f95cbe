"""What is known of each object beyond its bytes: generation, checksums, metadata, kept with size, time and inode.

The file is the truth: where it no longer is what was noted, it is hashed again and has a new generation.
"""

from __future__ import annotations

import json
import mimetypes
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cloudml_magic.local_platform.buckets.digests import TICK_NS, digest_of
from cloudml_magic.local_platform.buckets.names import Standing, side_name, standing
from cloudml_magic.local_platform.database import Database


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as it is now; `fields` are what its writer said of it and the platform does not model."""

    bucket: str
    name: str
    path: str
    side: bool
    generation: int
    metageneration: int
    size: int
    mtime_ns: int
    inode: int
    settled: bool
    md5: str
    crc32c: str
    fields: Mapping[str, Any]
    created: float
    updated: float

    def is_file(self, found: os.stat_result) -> bool:
        return (self.size, self.mtime_ns, self.inode) == (found.st_size, found.st_mtime_ns, found.st_ino)


@lru_cache(maxsize=1024)
def _fields(text: str) -> Mapping[str, Any]:
    """What writers said; the objects of a folder mostly have the same said of them."""
    return MappingProxyType(json.loads(text))


@dataclass(frozen=True, slots=True)
class _Sight:
    path: str
    side: bool
    found: os.stat_result


class ObjectIndex:
    """The table of objects, brought in line with the files whenever it is asked."""

    def __init__(self, database: Database, buckets: Path, side: Path) -> None:
        self.database = database
        self._buckets = str(buckets)
        self._side = str(side)
        row = database.row("SELECT max(generation) FROM objects")
        self._generation = int(row[0] or 0) if row is not None else 0

    def root(self, bucket: str) -> str:
        return f"{self._buckets}/{bucket}"

    def side_path(self, bucket: str, name: str) -> str:
        return f"{self._side}/{bucket}/{side_name(name)}"

    def next_generation(self) -> int:
        """Greater than all before, and the time in microseconds as at Google."""
        with self.database.lock:
            self._generation = max(time.time_ns() // 1000, self._generation + 1)
            return self._generation

    def find(self, bucket: str, name: str) -> StoredObject | None:
        return self.look(bucket, [name])[0]

    def look(self, bucket: str, names: Sequence[str]) -> list[StoredObject | None]:
        """The objects of these names as they are now, None where there is none."""
        known = self._known(bucket, names)
        found: dict[str, StoredObject | None] = {}
        changed: list[StoredObject] = []
        folders: set[str] = set()
        for name in names:
            before = known.get(name)
            sight = self._sight(bucket, name, before, folders)
            if sight is None or (
                before and before.side == sight.side and before.is_file(sight.found) and before.settled
            ):
                found[name] = before if sight else None
                continue
            now = self._hashed(bucket, name, sight, before)
            found[name] = now
            if now is not None:
                changed.append(now)
        gone = [name for name in known if found[name] is None]
        if changed or gone:
            found.update(self._record(bucket, known, changed, gone))
        return [found[name] for name in names]

    def save(self, entry: StoredObject) -> None:
        fields = json.dumps(dict(entry.fields))
        self.database.write(
            "INSERT OR REPLACE INTO objects VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            entry.bucket, entry.name, entry.side, entry.generation, entry.metageneration, entry.size, entry.mtime_ns,
            entry.inode, entry.settled, entry.md5, entry.crc32c, fields, entry.created, entry.updated,
        )  # fmt: skip

    def forget(self, bucket: str, name: str) -> None:
        self.database.write("DELETE FROM objects WHERE bucket = ? AND name = ?", bucket, name)

    def side_names(self, bucket: str) -> list[str]:
        return [row[0] for row in self.database.rows("SELECT name FROM objects WHERE bucket = ? AND side", bucket)]

    def _known(self, bucket: str, names: Sequence[str]) -> dict[str, StoredObject]:
        result = {}
        for start in range(0, len(names), 500):
            part = names[start : start + 500]
            marks = ",".join("?" * len(part))
            for row in self.database.committed_rows(
                f"SELECT * FROM objects WHERE bucket = ? AND name IN ({marks})", bucket, *part
            ):
                result[row["name"]] = self._entry(row)
        return result

    def _entry(self, row: Any) -> StoredObject:
        bucket, name, side = row["bucket"], row["name"], bool(row["side"])
        return StoredObject(
            bucket=bucket,
            name=name,
            path=self.side_path(bucket, name) if side else f"{self.root(bucket)}/{name}",
            side=side,
            generation=row["generation"],
            metageneration=row["metageneration"],
            size=row["size"],
            mtime_ns=row["mtime_ns"],
            inode=row["inode"],
            settled=bool(row["settled"]),
            md5=row["md5"],
            crc32c=row["crc32c"],
            fields=_fields(row["fields"]),
            created=row["created"],
            updated=row["updated"],
        )

    def _sight(self, bucket: str, name: str, before: StoredObject | None, folders: set[str]) -> _Sight | None:
        root = self.root(bucket)
        stands, found = standing(root, name, folders)
        if stands is Standing.FILE and found is not None:
            return _Sight(f"{root}/{name}", False, found)
        if before is not None and before.side:
            try:
                return _Sight(before.path, True, os.lstat(before.path))
            except FileNotFoundError:
                return None
        return None

    def _hashed(self, bucket: str, name: str, sight: _Sight, before: StoredObject | None) -> StoredObject | None:
        hashed_at = time.time_ns()
        try:
            digest = digest_of(sight.path)
            after = os.lstat(sight.path)
        except OSError:
            return None
        same_stat = before is not None and before.side == sight.side and before.is_file(sight.found)
        keeps = same_stat and before is not None and before.md5 == digest.md5
        # A file that changed while it was read, or just before, is hashed again when it is next asked for.
        settled = digest.size == sight.found.st_size and (after.st_size, after.st_mtime_ns) == (
            sight.found.st_size,
            sight.found.st_mtime_ns,
        )
        settled = settled and abs(hashed_at - sight.found.st_mtime_ns) > TICK_NS
        changed = sight.found.st_mtime_ns / 1e9
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return StoredObject(
            bucket=bucket,
            name=name,
            path=sight.path,
            side=sight.side,
            generation=before.generation if keeps and before else self.next_generation(),
            metageneration=before.metageneration if keeps and before else 1,
            size=digest.size,
            mtime_ns=sight.found.st_mtime_ns,
            inode=sight.found.st_ino,
            settled=settled,
            md5=digest.md5,
            crc32c=digest.crc32c,
            fields=before.fields if keeps and before else {"contentType": kind},
            created=before.created if keeps and before else changed,
            updated=before.updated if keeps and before else changed,
        )

    def _record(
        self, bucket: str, known: Mapping[str, StoredObject], changed: list[StoredObject], gone: list[str]
    ) -> dict[str, StoredObject | None]:
        """Notes what was seen, unless somebody noted something newer meanwhile."""
        result: dict[str, StoredObject | None] = {}
        with self.database.transaction():
            newest = self._known(bucket, [entry.name for entry in changed] + gone)
            for entry in changed:
                other = newest.get(entry.name)
                if other != known.get(entry.name):
                    result[entry.name] = other
                else:
                    self.save(entry)
            for name in gone:
                if newest.get(name) == known.get(name):
                    self.forget(bucket, name)
        return result
