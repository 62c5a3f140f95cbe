"""Long-running operations of the old API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudml_magic.dialects.call import Call
from cloudml_magic.records import OperationSnapshot

_OPERATIONS = "ml.projects.operations"
_STAGES = {"CREATE_VERSION": "loading the model", "DELETE_VERSION": "deleting", "DELETE_MODEL": "deleting"}


def get_operation(name: str) -> Call:
    return Call(f"{_OPERATIONS}.get", {"name": name})


def cancel_operation(name: str) -> Call:
    return Call(f"{_OPERATIONS}.cancel", {"name": name})


def read_operation(body: Mapping[str, Any]) -> OperationSnapshot:
    """How an operation stands."""
    error = body.get("error") or {}
    return OperationSnapshot(
        name=body["name"],
        done=bool(body.get("done")),
        stage=_STAGES.get(str((body.get("metadata") or {}).get("operationType", "")), ""),
        error=str(error.get("message") or "The platform gave no reason.") if error else None,
        error_code=int(error.get("code") or 0),
        response=body.get("response") or {},
    )
