"""Long-running operations as most of Google's APIs answer them: done or not, and an error if there was one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudml_magic.records import OperationSnapshot


def read_operation(body: Mapping[str, Any]) -> OperationSnapshot:
    """How an operation stands; one that had nothing to do is named like one that is done."""
    error = body.get("error") or {}
    return OperationSnapshot(
        name=str(body.get("name", "")), done=bool(body.get("done")), error=str(error["message"]) if error else None
    )
