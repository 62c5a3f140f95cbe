"""Resumable uploads: sessions that survive the server's death, each a growing file and a row.

An upload is an object only when its last byte is there and its checksums hold.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cloudml_magic.local_platform.buckets.bodies import object_body
from cloudml_magic.local_platform.buckets.conditions import Conditions
from cloudml_magic.local_platform.buckets.digests import Digest, Staged, chunks, settle
from cloudml_magic.local_platform.buckets.index import StoredObject
from cloudml_magic.local_platform.buckets.names import check_object_name
from cloudml_magic.local_platform.buckets.store import BucketStore
from cloudml_magic.local_platform.errors import PlatformError

_SESSION_SECONDS = 7 * 86400
_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)")


@dataclass(frozen=True, slots=True)
class ContentRange:
    """Where the bytes of one request lie in the whole; `first` is None in a question about the status."""

    first: int | None
    last: int
    total: int | None

    @classmethod
    def read(cls, text: str, length: int) -> ContentRange:
        """Reads a Content-Range header; without one the request holds the whole file."""
        if not text:
            return cls(0, length - 1, length)
        found = _RANGE.fullmatch(text.strip())
        if found is None:
            raise PlatformError(400, f"Failed to parse Content-Range header: {text[:80]!r}")
        total = None if found[3] == "*" else int(found[3])
        if found[1] is None:
            return cls(None, -1, total)
        first, last = int(found[1]), int(found[2])
        if last - first + 1 != length or (total is not None and last >= total):
            raise PlatformError(400, f"Content-Range {text[:80]!r} does not fit a body of {length} bytes.")
        return cls(first, last, total)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an upload is: bytes that need not be sent again, and the object once it is complete."""

    received: int
    result: Mapping[str, Any] | None


class Uploads:
    """All sessions of one platform."""

    def __init__(self, store: BucketStore) -> None:
        self._store = store
        self._database = store.database
        self._forget_old()

    def begin(
        self, bucket: str, name: str, fields: Mapping[str, Any], declared: Mapping[str, str], conditions: Conditions
    ) -> str:
        """Opens a session; returns its id, which is as hard to guess as the token."""
        self._store.check_bucket(bucket)
        conditions.check(self._store.index.find(bucket, check_object_name(name)))
        id = secrets.token_urlsafe(32)
        request = {"fields": fields, "declared": declared, "conditions": asdict(conditions)}
        self._path(id).touch(mode=0o600)
        self._database.write(
            "INSERT INTO uploads VALUES (?,?,?,?,NULL,?)", id, bucket, name, json.dumps(request), time.time()
        )
        return id

    def write(self, id: str, body: BinaryIO, length: int, where: ContentRange, declared: Mapping[str, str]) -> Progress:
        """Takes the bytes that are new; the last ones make the object."""
        row = self._row(id)
        if row["result"] is not None:
            return Progress(0, json.loads(row["result"]))
        received = self._received(id)
        if where.first is not None and where.first <= received <= where.last + 1:
            body.seek(received - where.first)
            received = self._append(id, body, length - (received - where.first), received)
        if where.total is None or received < where.total:
            return Progress(received, None)
        if received > where.total:
            raise PlatformError(400, f"More bytes were sent ({received}) than the upload has ({where.total}).")
        return Progress(received, self._finish(id, row, declared))

    def cancel(self, id: str) -> None:
        self._row(id)
        self._database.write("DELETE FROM uploads WHERE id = ?", id)
        self._path(id).unlink(missing_ok=True)

    def _append(self, id: str, body: BinaryIO, length: int, received: int) -> int:
        path = self._path(id)
        try:
            with path.open("r+b", buffering=0) as file:
                file.seek(received)
                for chunk in chunks(body, length):
                    file.write(chunk)
                    received += len(chunk)
                settle(file.fileno())
        except FileNotFoundError:
            raise _gone() from None
        return received

    def _finish(self, id: str, row: Any, declared: Mapping[str, str]) -> Mapping[str, Any]:
        request = json.loads(row["request"])
        digest = Digest()
        with self._path(id).open("rb", buffering=0) as file:
            for chunk in chunks(file):
                digest.update(chunk)
        staged = Staged(self._path(id), digest.size, digest.md5, digest.crc32c)
        result: dict[str, Any] = {}

        def also(entry: StoredObject) -> None:
            result.update(object_body(entry))
            self._database.write("UPDATE uploads SET result = ? WHERE id = ?", json.dumps(result), id)

        try:
            staged.check({**request["declared"], **declared})
            conditions = Conditions(**request["conditions"])
            self._store.put(row["bucket"], row["name"], staged, request["fields"], conditions, also)
        except PlatformError:
            self.cancel(id)
            raise
        return result

    def _row(self, id: str) -> Any:
        row = self._database.row("SELECT * FROM uploads WHERE id = ?", id)
        if row is None:
            raise _gone()
        return row

    def _received(self, id: str) -> int:
        try:
            return self._path(id).stat().st_size
        except FileNotFoundError:
            return 0

    def _path(self, id: str) -> Path:
        return self._store.staging / f"upload-{id}"

    def _forget_old(self) -> None:
        limit = time.time() - _SESSION_SECONDS
        self._database.write("DELETE FROM uploads WHERE created < ?", limit)
        known = {row["id"] for row in self._database.rows("SELECT id FROM uploads WHERE result IS NULL")}
        for path in self._store.staging.glob("upload-*"):
            if path.name.removeprefix("upload-") not in known:
                path.unlink(missing_ok=True)


def _gone() -> PlatformError:
    return PlatformError(404, "There is no such upload session; it was completed long ago, cancelled, or never begun.")
