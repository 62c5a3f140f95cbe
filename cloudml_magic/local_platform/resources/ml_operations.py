"""Operations of the older API (`ml` v1): kept with all others, without a location; named and written as it does."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

_TYPES = "type.googleapis.com/google.cloud.ml.v1."
_SAID = ("operationType", "modelName", "version", "labels")


class _Moment:
    """Milliseconds since the epoch, no two alike."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        with self._lock:
            self._last = max(self._last + 1, time.time_ns() // 1_000_000)
            return self._last


_moment = _Moment()


def ml_typed(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A message of the older API as operations carry it."""
    return {"@type": _TYPES + kind, **body}


def operation_id(verb: str, *parts: str) -> str:
    """`create_M_V-1616708521927`: what is done, to what, and when in milliseconds."""
    return f"{'_'.join((verb, *parts))}-{_moment.next()}"


def ml_operation_body(project: str, kept: Mapping[str, Any]) -> dict[str, Any]:
    """An operation as the older API writes it."""
    metadata, stamps = kept["metadata"], kept["metadata"]["genericMetadata"]
    said: dict[str, Any] = {name: metadata[name] for name in _SAID if name in metadata}
    said |= {"createTime": stamps["createTime"], "startTime": stamps["createTime"]}
    body = {
        "name": f"projects/{project}/operations/{kept['name'].rpartition('/')[2]}",
        "metadata": ml_typed("OperationMetadata", said),
    }
    if not kept["done"]:
        return body
    said["endTime"] = stamps["updateTime"]
    body["metadata"] = ml_typed("OperationMetadata", said)
    outcome = {name: kept[name] for name in ("response", "error") if name in kept}
    return {**body, "done": True, **outcome}
