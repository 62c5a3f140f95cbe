"""The older API's operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudml_magic.local_platform.errors import PlatformError, refused
from cloudml_magic.local_platform.operations.worker import OperationWorker
from cloudml_magic.local_platform.resources.ml_operations import ml_operation_body
from cloudml_magic.local_platform.resources.ml_versions import NOWHERE
from cloudml_magic.local_platform.resources.operations import Operations
from cloudml_magic.local_platform.routes.call import Call, Handler, methods
from cloudml_magic.local_platform.routes.ml_v1.pages import ml_page
from cloudml_magic.local_platform.wire import Response, json_response


class MlOperationRoutes:
    """Handlers of `ml.projects.operations.*`."""

    def __init__(self, operations: Operations, worker: OperationWorker) -> None:
        self._operations = operations
        self._worker = worker

    def handlers(self) -> Mapping[str, Handler]:
        return methods("ml.projects.operations", get=self.get, list=self.list, cancel=self.cancel)

    def get(self, call: Call) -> Response:
        return json_response(ml_operation_body(call.path["projectsId"], self._kept(call)))

    def list(self, call: Call) -> Response:
        kept = self._operations.list(NOWHERE)
        numbered = list(zip(range(len(kept), 0, -1), kept, strict=True))
        return ml_page(
            call,
            "operations",
            numbered,
            sequence=lambda each: each[0],
            body=lambda each: ml_operation_body(call.path["projectsId"], each[1]),
            fields=("name", "done"),
        )

    def cancel(self, call: Call) -> Response:
        if not self._kept(call)["done"]:
            self._worker.cancel(call.path["operationsId"])
        return json_response({})

    def _kept(self, call: Call) -> dict[str, Any]:
        try:
            return self._operations.get(call.path["operationsId"], NOWHERE)
        except PlatformError:
            raise refused(404, "name", "The specified operation was not found.") from None
