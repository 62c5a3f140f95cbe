"""Cloud Resource Manager: projects, and what this user may do in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloudml_magic.dialects.call import Call

API = ("cloudresourcemanager", "v3")
_PROJECTS = "cloudresourcemanager.projects"


def get_project(project: str) -> Call:
    return Call(f"{_PROJECTS}.get", {"name": f"projects/{project}"})


def test_permissions(project: str, permissions: Sequence[str]) -> Call:
    """Which of these permissions this user has."""
    return Call(
        f"{_PROJECTS}.testIamPermissions", {"resource": f"projects/{project}"}, {"permissions": list(permissions)}
    )


def read_number(body: Mapping[str, Any]) -> str:
    """A project's number, by which other resources name it."""
    return str(body["name"]).rpartition("/")[2]


def read_permissions(body: Mapping[str, Any]) -> frozenset[str]:
    """The permissions that were granted."""
    return frozenset(body.get("permissions") or ())
