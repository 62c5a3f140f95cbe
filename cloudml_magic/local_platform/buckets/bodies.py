"""Buckets and objects as the Cloud Storage JSON API writes them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from cloudml_magic.local_platform.buckets.index import StoredObject
from cloudml_magic.local_platform.buckets.store import StoredBucket
from cloudml_magic.local_platform.settings import PROJECT_NUMBER, REGION
from cloudml_magic.local_platform.times import written

# What the platform says of an object itself; a client's word on it is not kept.
_SAID_BY_SERVER = frozenset(
    {
        "kind",
        "id",
        "name",
        "bucket",
        "selfLink",
        "generation",
        "metageneration",
        "size",
        "md5Hash",
        "crc32c",
        "etag",
        "timeCreated",
        "updated",
        "timeFinalized",
        "timeDeleted",
        "timeStorageClassUpdated",
        "softDeleteTime",
        "hardDeleteTime",
        "restoreToken",
        "owner",
        "projectNumber",
        "createTime",
        "updateTime",
        "acl",
        "defaultObjectAcl",
    }
)


_PLAIN: Mapping[str, Callable[[StoredObject], str]] = {
    "name": lambda entry: entry.name,
    "size": lambda entry: str(entry.size),
    "crc32c": lambda entry: entry.crc32c,
    "md5Hash": lambda entry: entry.md5,
    "generation": lambda entry: str(entry.generation),
}


def writable(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a client may set of an object or bucket."""
    return {name: value for name, value in body.items() if name not in _SAID_BY_SERVER}


def patched(before: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A merge as of PATCH: null removes, maps merge."""
    result = dict(before)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(result.get(name), Mapping):
            result[name] = patched(result[name], value)
        elif isinstance(value, Mapping):
            result[name] = patched({}, value)
        else:
            result[name] = value
    return result


def object_body(entry: StoredObject) -> dict[str, Any]:
    """The resource of an object; no links in it, since they would hold a port that may be another tomorrow."""
    created = written(entry.created)
    return {
        "kind": "storage#object",
        "id": f"{entry.bucket}/{entry.name}/{entry.generation}",
        "storageClass": "STANDARD",
        **entry.fields,
        "name": entry.name,
        "bucket": entry.bucket,
        "generation": str(entry.generation),
        "metageneration": str(entry.metageneration),
        "size": str(entry.size),
        "md5Hash": entry.md5,
        "crc32c": entry.crc32c,
        "etag": etag(entry),
        "timeCreated": created,
        "timeStorageClassUpdated": created,
        "timeFinalized": created,
        "updated": written(entry.updated),
    }


def asked_fields(text: str) -> frozenset[str] | None:
    """Of `items(name,size),nextPageToken` what is asked of each object; None where all of it is."""
    found = re.search(r"(?:^|,)items\(([\w,]+)\)", text)
    return frozenset(found[1].split(",")) if found else None


def partial_body(entry: StoredObject, asked: frozenset[str] | None) -> dict[str, Any]:
    """What is asked of an object; a list of thousands is asked for no more than it takes to know them."""
    if asked is not None and asked <= _PLAIN.keys():
        return {name: _PLAIN[name](entry) for name in asked}
    body = object_body(entry)
    return body if asked is None else {name: value for name, value in body.items() if name in asked}


def etag(entry: StoredObject) -> str:
    return base64.b64encode(f"{entry.generation}/{entry.metageneration}".encode()).decode()


def bucket_body(bucket: StoredBucket) -> dict[str, Any]:
    """The resource of a bucket."""
    return {
        "kind": "storage#bucket",
        "id": bucket.name,
        "projectNumber": PROJECT_NUMBER,
        "location": REGION.upper(),
        "locationType": "region",
        "storageClass": "STANDARD",
        "iamConfiguration": {
            "uniformBucketLevelAccess": {"enabled": True},
            "publicAccessPrevention": "enforced",
        },
        **bucket.fields,
        "name": bucket.name,
        "metageneration": str(bucket.metageneration),
        "etag": base64.b64encode(str(bucket.metageneration).encode()).decode(),
        "timeCreated": written(bucket.created),
        "updated": written(bucket.updated),
    }
