"""Operations as rows, and beside each one that is not done the work that it stands for.

The work of an operation is written with the operation and taken away in the transaction that finishes it, so that
what a platform left undone when it died is known to the next one.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloudml_magic.local_platform.database import Database
from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.resources.names import new_id, resource_name
from cloudml_magic.local_platform.times import written

_TYPES = "type.googleapis.com/google.cloud.aiplatform.v1."
EMPTY = {"@type": "type.googleapis.com/google.protobuf.Empty"}


@dataclass(frozen=True, slots=True)
class Work:
    """What an operation that is not done has still to do; `parent` is the resource, as `models/7`."""

    operation: str
    kind: str
    location: str
    parent: str
    arguments: Mapping[str, Any]
    cancelled: bool = False


def typed(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A message of Vertex AI as operations carry it."""
    return {"@type": _TYPES + kind, **body}


class Operations:
    """All operations of one platform; any thread may call."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changed = threading.Condition()

    def begin(
        self,
        kind: str,
        location: str,
        parent: str,
        metadata: Mapping[str, Any],
        arguments: Mapping[str, Any],
        id: str | None = None,
    ) -> dict[str, Any]:
        """Keeps an operation that is still to be done, and its work."""
        id, now = id or new_id(), time.time()
        body = {
            "name": resource_name(location, parent, "operations", id),
            "metadata": _stamped(metadata, now, now),
            "done": False,
        }
        with self._database.transaction():
            self._insert(id, location, parent, body, now)
            self._database.write("INSERT INTO work VALUES (?,?,?,0)", id, kind, json.dumps(arguments))
        return body

    def record_done(
        self,
        location: str,
        parent: str,
        metadata: Mapping[str, Any],
        response: Mapping[str, Any] = EMPTY,
        id: str | None = None,
    ) -> dict[str, Any]:
        """Keeps an operation of a location that was done at once; most answer nothing."""
        id, now = id or new_id(), time.time()
        body = {
            "name": resource_name(location, "operations", id),
            "metadata": _stamped(metadata, now, now),
            "done": True,
            "response": dict(response),
        }
        self._insert(id, location, parent, body, now)
        return body

    def tell(self, id: str, **metadata: Any) -> None:
        """Writes down how far an operation is."""
        self._change(id, lambda body: body["metadata"].update(metadata))

    def finish(self, id: str, response: Mapping[str, Any], **metadata: Any) -> None:
        """Ends an operation well; call it in the transaction that changes what it is about."""
        with self._database.transaction():
            self._change(id, lambda body: _ended(body, metadata, {"response": response}))
            self._database.write("DELETE FROM work WHERE operation = ?", id)

    def fail(self, id: str, code: int, message: str, **metadata: Any) -> None:
        """Ends an operation with an error."""
        with self._database.transaction():
            error = {"code": code, "message": message}
            self._change(id, lambda body: _ended(body, metadata, {"error": error}))
            self._database.write("DELETE FROM work WHERE operation = ?", id)

    def work(self, id: str) -> Work | None:
        """What an operation has still to do; None if it is done."""
        return next((work for work in self.unfinished() if work.operation == id), None)

    def unfinished(self) -> list[Work]:
        """What is still to be done, oldest first."""
        rows = self._database.rows(
            "SELECT * FROM work JOIN operations ON operations.id = work.operation ORDER BY created"
        )
        return [
            Work(
                row["operation"],
                row["kind"],
                row["location"],
                row["parent"],
                json.loads(row["arguments"]),
                bool(row["cancelled"]),
            )
            for row in rows
        ]

    def cancel(self, id: str) -> None:
        """Notes that nobody wants the rest of the work any more."""
        self._database.write("UPDATE work SET cancelled = 1 WHERE operation = ?", id)

    def get(self, id: str, location: str, parent: str | None = None) -> dict[str, Any]:
        row = self._database.row("SELECT * FROM operations WHERE id = ? AND location = ?", id, location)
        if row is None or parent not in (None, row["parent"]):
            raise PlatformError(404, f"The operation {id[:80]} does not exist.")
        body: dict[str, Any] = json.loads(row["body"])
        return body

    def list(self, location: str, parent: str | None = None) -> list[dict[str, Any]]:
        """The latest first."""
        rows = self._database.rows(
            "SELECT body FROM operations WHERE location = ?1 AND (?2 IS NULL OR parent = ?2)"
            " ORDER BY created DESC, id DESC",
            location, parent,
        )  # fmt: skip
        return [json.loads(row["body"]) for row in rows]

    def delete(self, id: str) -> None:
        """Forgets an operation; what it has still to do is done all the same."""
        self._database.write(
            "DELETE FROM operations WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM work WHERE operation = ?1)", id
        )

    def wait_for_change(self, seconds: float) -> None:
        """Returns when any operation has moved, or the time is over."""
        with self._changed:
            self._changed.wait(seconds)

    def _insert(self, id: str, location: str, parent: str, body: Mapping[str, Any], now: float) -> None:
        self._database.write("INSERT INTO operations VALUES (?,?,?,?,?)", id, location, parent, json.dumps(body), now)

    def _change(self, id: str, change: Any) -> None:
        with self._database.transaction():
            row = self._database.row("SELECT body FROM operations WHERE id = ?", id)
            if row is None:
                return
            body = json.loads(row["body"])
            change(body)
            body["metadata"]["genericMetadata"]["updateTime"] = written(time.time())
            self._database.write("UPDATE operations SET body = ? WHERE id = ?", json.dumps(body), id)
        with self._changed:
            self._changed.notify_all()


def _stamped(metadata: Mapping[str, Any], created: float, updated: float) -> dict[str, Any]:
    return {**metadata, "genericMetadata": {"createTime": written(created), "updateTime": written(updated)}}


def _ended(body: dict[str, Any], metadata: Mapping[str, Any], outcome: Mapping[str, Any]) -> None:
    body["metadata"].update(metadata)
    body["done"] = True
    body.update(outcome)
