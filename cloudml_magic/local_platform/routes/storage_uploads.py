"""Cloud Storage: the three ways in which an object arrives, media, multipart and resumable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, BinaryIO

from cloudml_magic.discovery import BodyError, document, normalise
from cloudml_magic.local_platform.buckets.bodies import object_body, writable
from cloudml_magic.local_platform.buckets.conditions import Conditions
from cloudml_magic.local_platform.buckets.digests import chunks, declared_digests
from cloudml_magic.local_platform.buckets.names import check_object_name
from cloudml_magic.local_platform.buckets.store import BucketStore
from cloudml_magic.local_platform.buckets.uploads import ContentRange, Uploads
from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.routes.call import Call, Handler
from cloudml_magic.local_platform.wire import MAXIMAL_JSON, Request, Response, json_response, read_json

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,200})"|([^;\s]{1,200}))', re.IGNORECASE)
_LONGEST_EPILOGUE = 4096


class UploadRoutes:
    """Handlers of `storage.objects.insert` and of the sessions that it opens."""

    def __init__(self, store: BucketStore, uploads: Uploads) -> None:
        self._store = store
        self._uploads = uploads

    def handlers(self) -> Mapping[str, Handler]:
        return {"storage.objects.insert": self.insert}

    def insert(self, call: Call) -> Response:
        kind = call.query.get("uploadType") or "media"
        if not call.request.path.startswith(("/upload/", "/resumable/")):
            raise PlatformError(400, "Objects are uploaded under /upload/storage/v1.")
        if kind == "media":
            return self._media(call)
        if kind == "multipart":
            return self._multipart(call)
        if kind == "resumable":
            return self._begin(call)
        raise PlatformError(400, f"Invalid upload type: {kind[:40]!r}")

    def resume(self, request: Request, id: str) -> Response:
        """PUT to a session: bytes, or a question how many have arrived."""
        where = ContentRange.read(request.header("content-range"), request.length)
        declared = declared_digests({}, request.header("x-goog-hash"))
        progress = self._uploads.write(id, request.body, request.length, where, declared)
        if progress.result is not None:
            return json_response(progress.result)
        headers = {"range": f"bytes=0-{progress.received - 1}"} if progress.received else {}
        return Response(308, {**headers, "x-guploader-uploadid": id})

    def cancel(self, id: str) -> Response:
        """DELETE of a session, which Google answers with 499."""
        self._uploads.cancel(id)
        return Response(499)

    def _media(self, call: Call) -> Response:
        name = check_object_name(call.query.get("name", ""))
        metadata: dict[str, Any] = {}
        if call.request.header("content-type"):
            metadata["contentType"] = call.request.header("content-type")
        return self._store_body(call, name, metadata, call.request.body, call.request.length)

    def _multipart(self, call: Call) -> Response:
        metadata, content_type, start, length = _parts(call.request)
        metadata = _object_metadata(metadata)
        if content_type:
            metadata.setdefault("contentType", content_type)
        name = check_object_name(metadata.get("name") or call.query.get("name", ""))
        call.request.body.seek(start)
        return self._store_body(call, name, metadata, call.request.body, length)

    def _begin(self, call: Call) -> Response:
        request = call.request
        metadata = _object_metadata(request.json() or {})
        content_type = request.header("x-upload-content-type")
        if content_type:
            metadata.setdefault("contentType", content_type)
        name = check_object_name(metadata.get("name") or call.query.get("name", ""))
        id = self._uploads.begin(
            call.path["bucket"],
            name,
            _fields(call, metadata),
            declared_digests(metadata, request.header("x-goog-hash")),
            Conditions.of(call.query),
        )
        location = f"http://{request.header('host')}{request.path}?uploadType=resumable&upload_id={id}"
        return Response(200, {"location": location, "x-guploader-uploadid": id})

    def _store_body(self, call: Call, name: str, metadata: Mapping[str, Any], body: BinaryIO, length: int) -> Response:
        bucket, conditions = call.path["bucket"], Conditions.of(call.query)
        self._store.check_bucket(bucket)
        staged = self._store.stage(chunks(body, length))
        try:
            staged.check(declared_digests(metadata, call.request.header("x-goog-hash")))
        except PlatformError:
            staged.discard()
            raise
        entry = self._store.put(bucket, name, staged, _fields(call, metadata), conditions)
        return json_response(object_body(entry))


def _fields(call: Call, metadata: Mapping[str, Any]) -> dict[str, Any]:
    fields = writable(metadata)
    if call.query.get("contentEncoding"):
        fields["contentEncoding"] = call.query["contentEncoding"]
    return fields


def _object_metadata(body: Any) -> dict[str, Any]:
    try:
        return normalise(document("storage.v1"), "Object", body)
    except BodyError as problem:
        raise PlatformError(400, str(problem)) from None


def _parts(request: Request) -> tuple[Any, str, int, int]:
    """The metadata of a multipart/related body, and the type, start and length of its second part."""
    found = _BOUNDARY.search(request.header("content-type"))
    if found is None:
        raise PlatformError(400, "A multipart upload needs a boundary in its Content-Type.")
    mark = b"--" + (found[1] or found[2]).encode()
    body = request.body
    head = body.read(MAXIMAL_JSON)
    first_end = head.find(b"\n" + mark, len(mark))
    if not head.lstrip(b"\r\n").startswith(mark) or first_end < 0:
        raise PlatformError(400, "Malformed multipart body: its first part has no end.")
    _, json_start = _headers(head, head.find(mark) + len(mark))
    second_headers, start = _headers(head, first_end + 1 + len(mark))
    tail_start = max(start, request.length - _LONGEST_EPILOGUE)
    body.seek(tail_start)
    tail = body.read(_LONGEST_EPILOGUE)
    end = tail.rfind(b"\r\n" + mark + b"--")
    if end < 0:
        raise PlatformError(400, "Malformed multipart body: its last part has no end.")
    return (
        read_json(head[json_start:first_end]) or {},
        second_headers.get("content-type", ""),
        start,
        tail_start + end - start,
    )


def _headers(text: bytes, start: int) -> tuple[dict[str, str], int]:
    """The headers of a part, whose boundary ends at `start`, and where its content begins."""
    line_end = text.find(b"\r\n", start)
    if text[line_end : line_end + 4] == b"\r\n\r\n":
        return {}, line_end + 4
    end = text.find(b"\r\n\r\n", start)
    if line_end < 0 or end < 0 or end - start > _LONGEST_EPILOGUE:
        raise PlatformError(400, "Malformed multipart body: a part's headers have no end.")
    headers = {}
    for line in text[line_end + 2 : end].decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers, end + 4
