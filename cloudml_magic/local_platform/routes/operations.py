"""Vertex AI: operations, under a location and under each kind of resource that has some."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from typing import Any

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.operations.worker import OperationWorker
from cloudml_magic.local_platform.resources.operations import Operations
from cloudml_magic.local_platform.routes.call import Call, Handler
from cloudml_magic.local_platform.wire import Response, json_response

_HOLDERS = ("customJobs", "models", "endpoints", "trainingPipelines")
# A client that waits holds one of the threads that all requests share.
_LONGEST_WAIT = 10.0
_MOST_WAITING = 5


class OperationRoutes:
    """Handlers of `operations.*`."""

    def __init__(self, operations: Operations, worker: OperationWorker) -> None:
        self._operations = operations
        self._worker = worker
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)

    def handlers(self) -> Mapping[str, Handler]:
        verbs = {"get": self.get, "wait": self.wait, "list": self.list, "cancel": self.cancel, "delete": self.delete}
        places = ("operations", *(f"{holder}.operations" for holder in _HOLDERS))
        return {
            f"aiplatform.projects.locations.{place}.{verb}": handler
            for place in places
            for verb, handler in verbs.items()
        }

    def get(self, call: Call) -> Response:
        return json_response(self._operation(call))

    def wait(self, call: Call) -> Response:
        """Answers when the operation is done, or after a while; with too many waiting already, at once."""
        body = self._operation(call)
        deadline = time.monotonic() + min(_seconds(call.query.get("timeout", "")), _LONGEST_WAIT)
        if body["done"] or not self._waiting.acquire(blocking=False):
            return json_response(body)
        try:
            while not body["done"] and (left := deadline - time.monotonic()) > 0:
                self._operations.wait_for_change(min(left, 1.0))
                body = self._operation(call)
        finally:
            self._waiting.release()
        return json_response(body)

    def list(self, call: Call) -> Response:
        found = self._operations.list(call.path["locationsId"], _parent(call))
        return json_response({"operations": found} if found else {})

    def cancel(self, call: Call) -> Response:
        if not self._operation(call)["done"]:
            self._worker.cancel(call.path["operationsId"])
        return json_response({})

    def delete(self, call: Call) -> Response:
        if not self._operation(call)["done"]:
            raise PlatformError(
                400,
                f"The operation {call.path['operationsId'][:80]} is not done; cancel it or wait for it.",
                status="FAILED_PRECONDITION",
            )
        self._operations.delete(call.path["operationsId"])
        return json_response({})

    def _operation(self, call: Call) -> dict[str, Any]:
        return self._operations.get(call.path["operationsId"], call.path["locationsId"], _parent(call))


def _parent(call: Call) -> str | None:
    return next((f"{holder}/{call.path[f'{holder}Id']}" for holder in _HOLDERS if f"{holder}Id" in call.path), None)


def _seconds(timeout: str) -> float:
    if not timeout:
        return _LONGEST_WAIT
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?s", timeout):
        raise PlatformError(400, f"Invalid value at 'timeout', {timeout[:60]!r} is no duration such as 3s.")
    return float(timeout[:-1])
