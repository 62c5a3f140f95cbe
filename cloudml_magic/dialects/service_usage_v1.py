"""Service Usage: which of Google's APIs a project has enabled, and enabling them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloudml_magic.dialects.call import Call

API = ("serviceusage", "v1")
_SERVICES = "serviceusage.services"


def get_services(project: str, services: Sequence[str]) -> Call:
    """How services such as `aiplatform.googleapis.com` stand."""
    parent = f"projects/{project}"
    names = [f"{parent}/services/{service}" for service in services]
    return Call(f"{_SERVICES}.batchGet", {"parent": parent, "names": names})


def enable_services(project: str, services: Sequence[str]) -> Call:
    return Call(f"{_SERVICES}.batchEnable", {"parent": f"projects/{project}"}, {"serviceIds": list(services)})


def get_operation(name: str) -> Call:
    return Call("serviceusage.operations.get", {"name": name})


def read_enabled(body: Mapping[str, Any]) -> frozenset[str]:
    """The services that are enabled."""
    services = body.get("services") or ()
    return frozenset(str(each["name"]).rpartition("/")[2] for each in services if each.get("state") == "ENABLED")
