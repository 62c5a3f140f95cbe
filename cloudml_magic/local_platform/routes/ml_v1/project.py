"""What the older API says of a project: its service account and its locations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudml_magic.local_platform.errors import refused
from cloudml_magic.local_platform.routes.call import Call, Handler
from cloudml_magic.local_platform.settings import PROJECT, PROJECT_NUMBER, REGION
from cloudml_magic.local_platform.wire import Response, json_response

_ACCOUNT = f"cloud-ml-service@{PROJECT}.iam.gserviceaccount.com"
_CAPABILITIES = ("TRAINING", "BATCH_PREDICTION", "ONLINE_PREDICTION")


class MlProjectRoutes:
    """Handlers of `ml.projects.getConfig` and `ml.projects.locations.*`."""

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "ml.projects.getConfig": self.configuration,
            "ml.projects.locations.list": self.list,
            "ml.projects.locations.get": self.get,
        }

    def configuration(self, call: Call) -> Response:
        return json_response(
            {
                "serviceAccount": _ACCOUNT,
                "serviceAccountProject": PROJECT_NUMBER,
                "config": {"tpuServiceAccount": _ACCOUNT},
            }
        )

    def list(self, call: Call) -> Response:
        return json_response({"locations": [_location(call)]})

    def get(self, call: Call) -> Response:
        if call.path["locationsId"] != REGION:
            raise refused(404, "name", "The specified location was not found.")
        return json_response(_location(call))


def _location(call: Call) -> dict[str, Any]:
    return {
        "name": f"projects/{call.path['projectsId']}/locations/{REGION}",
        "capabilities": [{"type": kind} for kind in _CAPABILITIES],
    }
