"""Cloud Storage: objects, all but their upload."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

from cloudml_magic.local_platform.buckets.bodies import asked_fields, etag, object_body, partial_body, patched, writable
from cloudml_magic.local_platform.buckets.conditions import Conditions
from cloudml_magic.local_platform.buckets.digests import chunks
from cloudml_magic.local_platform.buckets.index import StoredObject
from cloudml_magic.local_platform.buckets.listing import Selection, list_objects
from cloudml_magic.local_platform.buckets.names import check_object_name
from cloudml_magic.local_platform.buckets.store import BucketStore
from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.routes.call import Call, Handler
from cloudml_magic.local_platform.wire import FileRange, Response, json_response

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_MOST_SOURCES = 32


class ObjectRoutes:
    """Handlers of `storage.objects.*`."""

    def __init__(self, store: BucketStore) -> None:
        self._store = store

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "storage.objects.get": self.get,
            "storage.objects.list": self.list,
            "storage.objects.copy": self.copy,
            "storage.objects.rewrite": self.rewrite,
            "storage.objects.compose": self.compose,
            "storage.objects.patch": self.patch,
            "storage.objects.update": self.update,
            "storage.objects.delete": self.delete,
        }

    def get(self, call: Call) -> Response:
        entry = self._store.find(call.path["bucket"], call.path["object"], call.query.get("generation"))
        Conditions.of(call.query).check(entry, reading=True)
        if call.query.get("alt") == "media" or call.request.path.startswith("/download/"):
            return self._media(entry, call.request.header("range"))
        return json_response(object_body(entry), headers={"etag": etag(entry)})

    def list(self, call: Call) -> Response:
        query = call.query
        if query.get("matchGlob") or query.get("filter"):
            raise PlatformError(501, "The local platform lists by prefix and delimiter, not by matchGlob or filter.")
        selection = Selection(
            prefix=query.get("prefix", ""),
            delimiter=query.get("delimiter", ""),
            start=query.get("startOffset", ""),
            end=query.get("endOffset", ""),
            trailing_delimiter=query.get("includeTrailingDelimiter", False),
        )
        page = list_objects(
            self._store, call.path["bucket"], selection, query.get("pageToken", ""), query.get("maxResults", 0)
        )
        body: dict[str, Any] = {"kind": "storage#objects"}
        if page.objects:
            asked = asked_fields(query.get("fields", ""))
            body["items"] = [partial_body(entry, asked) for entry in page.objects]
        if page.prefixes:
            body["prefixes"] = list(page.prefixes)
        if page.next_token:
            body["nextPageToken"] = page.next_token
        return json_response(body)

    def copy(self, call: Call) -> Response:
        return json_response(object_body(self._copied(call)))

    def rewrite(self, call: Call) -> Response:
        entry = self._copied(call)
        size = str(entry.size)
        return json_response(
            {
                "kind": "storage#rewriteResponse",
                "totalBytesRewritten": size,
                "objectSize": size,
                "done": True,
                "resource": object_body(entry),
            }
        )

    def compose(self, call: Call) -> Response:
        bucket, name = call.path["destinationBucket"], check_object_name(call.path["destinationObject"])
        sources = call.body.get("sourceObjects", [])
        if not 1 <= len(sources) <= _MOST_SOURCES:
            raise PlatformError(400, f"The number of source components must be between 1 and {_MOST_SOURCES}.")
        entries = []
        for source in sources:
            generation = source.get("generation")
            entry = self._store.find(bucket, source.get("name", ""), int(generation) if generation else None)
            wanted = source.get("objectPreconditions", {}).get("ifGenerationMatch")
            Conditions(generation_match=int(wanted) if wanted else None).check(entry)
            entries.append(entry)
        staged = self._store.stage(piece for entry in entries for piece in self._bytes(entry))
        fields = {
            "contentType": entries[0].fields.get("contentType", "application/octet-stream"),
            **writable(call.body.get("destination", {})),
            "componentCount": sum(entry.fields.get("componentCount", 1) for entry in entries),
        }
        conditions = Conditions.of(call.query)
        return json_response(object_body(self._store.put(bucket, name, staged, fields, conditions)))

    def patch(self, call: Call) -> Response:
        before = self._store.find(call.path["bucket"], call.path["object"], call.query.get("generation"))
        return self._change(call, patched(before.fields, writable(call.body)))

    def update(self, call: Call) -> Response:
        return self._change(call, patched({}, writable(call.body)))

    def delete(self, call: Call) -> Response:
        self._store.delete(
            call.path["bucket"], call.path["object"], call.query.get("generation"), Conditions.of(call.query)
        )
        return Response(204)

    def _change(self, call: Call, fields: Mapping[str, Any]) -> Response:
        entry = self._store.change(
            call.path["bucket"],
            call.path["object"],
            call.query.get("generation"),
            fields,
            Conditions.of(call.query),
        )
        return json_response(object_body(entry))

    def _copied(self, call: Call) -> StoredObject:
        source = self._store.find(
            call.path["sourceBucket"], call.path["sourceObject"], call.query.get("sourceGeneration")
        )
        Conditions.of(call.query, "ifSource").check(source)
        bucket, name = call.path["destinationBucket"], check_object_name(call.path["destinationObject"])
        self._store.check_bucket(bucket)
        said = writable(call.body)
        fields = {**source.fields, **said} if said else source.fields
        return self._store.put(bucket, name, self._store.stage(self._bytes(source)), fields, Conditions.of(call.query))

    def _bytes(self, entry: StoredObject) -> Iterator[bytes]:
        _, file = self._store.open(entry)
        with file:
            yield from chunks(file)

    def _media(self, entry: StoredObject, wanted: str) -> Response:
        entry, file = self._store.open(entry)
        headers = {
            "content-type": str(entry.fields.get("contentType") or "application/octet-stream"),
            "accept-ranges": "bytes",
            "etag": etag(entry),
            "last-modified": formatdate(entry.updated, usegmt=True),
            "x-goog-generation": str(entry.generation),
            "x-goog-metageneration": str(entry.metageneration),
            "x-goog-stored-content-length": str(entry.size),
            "x-goog-stored-content-encoding": str(entry.fields.get("contentEncoding", "identity")),
            "x-goog-storage-class": "STANDARD",
            "x-goog-hash": f"crc32c={entry.crc32c},md5={entry.md5}",
        }
        for field, header in (
            ("contentEncoding", "content-encoding"),
            ("contentDisposition", "content-disposition"),
            ("contentLanguage", "content-language"),
            ("cacheControl", "cache-control"),
        ):
            if entry.fields.get(field):
                headers[header] = str(entry.fields[field])
        headers = {name: quote(value, safe=" !#$%&'()*+,-./:;<=>?@[]^_`{|}~\"") for name, value in headers.items()}
        found = _RANGE.fullmatch(wanted.strip())
        if found is None or not (found[1] or found[2]):
            return Response(200, headers, file=FileRange(file, 0, entry.size))
        first = int(found[1]) if found[1] else max(0, entry.size - int(found[2]))
        last = min(int(found[2]) if found[1] and found[2] else entry.size - 1, entry.size - 1)
        if first >= entry.size or first > last:
            file.close()
            refused = PlatformError(416, "The requested range cannot be satisfied.")
            return json_response(refused.storage_body(), 416, {"content-range": f"bytes */{entry.size}"})
        headers["content-range"] = f"bytes {first}-{last}/{entry.size}"
        return Response(206, headers, file=FileRange(file, first, last - first + 1))
