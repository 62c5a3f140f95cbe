"""Cloud Storage: buckets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudml_magic.local_platform.buckets.bodies import bucket_body, patched, writable
from cloudml_magic.local_platform.buckets.conditions import Conditions
from cloudml_magic.local_platform.buckets.store import BucketStore
from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.routes.call import Call, Handler
from cloudml_magic.local_platform.wire import Response, json_response


class BucketRoutes:
    """Handlers of `storage.buckets.*`."""

    def __init__(self, store: BucketStore) -> None:
        self._store = store

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "storage.buckets.insert": self.insert,
            "storage.buckets.get": self.get,
            "storage.buckets.list": self.list,
            "storage.buckets.patch": self.patch,
            "storage.buckets.update": self.update,
            "storage.buckets.delete": self.delete,
            "storage.buckets.testIamPermissions": self.test_permissions,
        }

    def insert(self, call: Call) -> Response:
        name = call.body.get("name")
        if not name:
            raise PlatformError(400, "Required parameter: name", reason="required")
        return json_response(bucket_body(self._store.create_bucket(name, writable(call.body))))

    def get(self, call: Call) -> Response:
        bucket = self._store.bucket(call.path["bucket"])
        Conditions.of(call.query).check(bucket, reading=True)
        return json_response(bucket_body(bucket))

    def list(self, call: Call) -> Response:
        prefix, token = call.query.get("prefix", ""), call.query.get("pageToken", "")
        limit = call.query.get("maxResults") or 1000
        found = [each for each in self._store.buckets() if each.name.startswith(prefix) and each.name > token]
        body: dict[str, Any] = {"kind": "storage#buckets"}
        if found:
            body["items"] = [bucket_body(each) for each in found[:limit]]
        if len(found) > limit:
            body["nextPageToken"] = found[limit - 1].name
        return json_response(body)

    def patch(self, call: Call) -> Response:
        before = self._store.bucket(call.path["bucket"])
        return self._change(call, patched(before.fields, writable(call.body)))

    def update(self, call: Call) -> Response:
        return self._change(call, patched({}, writable(call.body)))

    def delete(self, call: Call) -> Response:
        self._store.delete_bucket(call.path["bucket"], Conditions.of(call.query))
        return Response(204)

    def test_permissions(self, call: Call) -> Response:
        """Whoever is let in here may do everything."""
        self._store.bucket(call.path["bucket"])
        return json_response(
            {"kind": "storage#testIamPermissionsResponse", "permissions": call.query.get("permissions", [])}
        )

    def _change(self, call: Call, fields: Mapping[str, Any]) -> Response:
        return json_response(
            bucket_body(self._store.change_bucket(call.path["bucket"], fields, Conditions.of(call.query)))
        )
