"""Long-running operations of Vertex AI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudml_magic.dialects.call import Call
from cloudml_magic.records import OperationSnapshot

_OPERATIONS = "aiplatform.projects.locations.operations"
_STAGES = {
    "STARTING_DEPLOYMENT": "starting",
    "PREPARING_MODEL": "preparing the model",
    "CREATING_SERVING_CLUSTER": "making machines ready",
    "ADDING_NODES_TO_CLUSTER": "making machines ready",
    "GETTING_CONTAINER_IMAGE": "fetching the image",
    "STARTING_MODEL_SERVER": "loading the model",
    "FINISHING_UP": "checking that it answers",
}


def get_operation(name: str) -> Call:
    return Call(f"{_OPERATIONS}.get", {"name": _of_location(name)})


def cancel_operation(name: str) -> Call:
    return Call(f"{_OPERATIONS}.cancel", {"name": _of_location(name)})


def read_operation(body: Mapping[str, Any]) -> OperationSnapshot:
    """How an operation stands."""
    error = body.get("error") or {}
    stage = str((body.get("metadata") or {}).get("deploymentStage", ""))
    return OperationSnapshot(
        name=body["name"],
        done=bool(body.get("done")),
        stage=_STAGES.get(stage, ""),
        error=str(error.get("message") or "The platform gave no reason.") if error else None,
        error_code=int(error.get("code") or 0),
        response=body.get("response") or {},
    )


def _of_location(name: str) -> str:
    """Operations are named under their resource and answer under their location too."""
    parts = name.split("/")
    return "/".join([*parts[:4], *parts[-2:]])
