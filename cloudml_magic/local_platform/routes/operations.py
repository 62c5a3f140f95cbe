"""Vertex AI: operations, which on this platform are finished when they are answered."""

from __future__ import annotations

from collections.abc import Mapping

from cloudml_magic.local_platform.resources import Resources
from cloudml_magic.local_platform.routes.call import Call, Handler
from cloudml_magic.local_platform.wire import Response, json_response


class OperationRoutes:
    """Handlers of `operations.*`, under a location and under a custom job."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def handlers(self) -> Mapping[str, Handler]:
        verbs = {"get": self.get, "wait": self.get, "list": self.list, "cancel": self.cancel, "delete": self.delete}
        places = ("aiplatform.projects.locations.operations", "aiplatform.projects.locations.customJobs.operations")
        return {f"{place}.{verb}": handler for place in places for verb, handler in verbs.items()}

    def get(self, call: Call) -> Response:
        return json_response(
            self._resources.operation(
                call.path["operationsId"], call.path["locationsId"], call.path.get("customJobsId")
            )
        )

    def list(self, call: Call) -> Response:
        found = self._resources.operations(call.path["locationsId"], call.path.get("customJobsId"))
        return json_response({"operations": found} if found else {})

    def cancel(self, call: Call) -> Response:
        self.get(call)
        return json_response({})

    def delete(self, call: Call) -> Response:
        self.get(call)
        self._resources.delete_operation(call.path["operationsId"])
        return json_response({})
