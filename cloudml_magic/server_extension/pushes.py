"""What is pushed to every page: events of Jupyter's own stream, by schemas of which the page's types are made too."""

from __future__ import annotations

import asyncio
import json
from importlib.resources import files
from typing import Any

EVENTS = "https://cloudml-magic.readthedocs.io/events"
JOB_DELTA = f"{EVENTS}/job/1"
OPERATION = f"{EVENTS}/operation/1"
JOBS = f"{EVENTS}/jobs/1"


class Pushes:
    """Emits from any thread; events leave in the order in which they were given."""

    def __init__(self, event_logger: Any, loop: asyncio.AbstractEventLoop, log: Any) -> None:
        self._event_logger = event_logger
        self._loop = loop
        self._log = log

    def send(self, schema: str, data: dict[str, Any]) -> None:
        """Hands an event over to the event loop; once that has ended nobody listens any more."""
        try:
            self._loop.call_soon_threadsafe(self._emit, schema, data)
        except RuntimeError:
            return

    def _emit(self, schema: str, data: dict[str, Any]) -> None:
        try:
            self._event_logger.emit(schema_id=schema, data=data)
        except Exception as problem:
            # One event that no schema allows must not stop those after it; pages notice the gap and ask.
            self._log.error("An event of cloudml-magic was not sent: %s", str(problem)[:500])


def register_schemas(event_logger: Any) -> None:
    """Makes the three kinds of events known to Jupyter."""
    delta = json.loads((files("cloudml_magic.cards") / "schema" / "delta.schema.json").read_text("utf-8"))
    operation = _event(OPERATION, "OperationChanged", {"session": _TEXT, "operation": {"type": "object"}})
    jobs = _event(JOBS, "JobsChanged", {"session": _TEXT, "jobs": {"type": "array", "items": _TEXT}})
    for schema in (_event_of(delta, JOB_DELTA), operation, jobs):
        event_logger.register_event_schema(schema)


_TEXT = {"type": "string"}


def _event_of(schema: dict[str, Any], identifier: str) -> dict[str, Any]:
    """A schema of ours with what Jupyter demands of one; its dialect of JSON Schema is draft 7."""
    kept = {name: value for name, value in schema.items() if name != "$schema"}
    # Jupyter adds fields of its own, whose names begin with two underscores, after it has validated.
    return {**kept, "$id": identifier, "version": "1"}


def _event(identifier: str, title: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "$id": identifier,
        "version": "1",
        "title": title,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
