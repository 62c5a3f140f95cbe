"""Cloud Build: an image from a folder in a bucket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudml_magic.dialects.call import Call
from cloudml_magic.records import BuildSnapshot

API = ("cloudbuild", "v1")
_BUILDS = "cloudbuild.projects.builds"
_BUILDER = "gcr.io/cloud-builders/docker"
_STAGES = {"PENDING": "waiting", "QUEUED": "waiting", "WORKING": "building", "SUCCESS": "built"}


def create_build(
    project: str, bucket: str, name: str, image: str, *, timeout_seconds: int, service_account: str | None = None
) -> Call:
    """Builds the Dockerfile of an archive in a bucket, and pushes the image."""
    body: dict[str, Any] = {
        "source": {"storageSource": {"bucket": bucket, "object": name}},
        "steps": [{"name": _BUILDER, "args": ["build", "--tag", image, "."]}],
        "images": [image],
        "timeout": f"{timeout_seconds}s",
        # Builds that act as an account of one's own may not write to Google's bucket of logs.
        "options": {"logging": "CLOUD_LOGGING_ONLY"},
        "tags": ["cloudml"],
    }
    if service_account:
        body["serviceAccount"] = f"projects/{project}/serviceAccounts/{service_account}"
    return Call(f"{_BUILDS}.create", {"projectId": project}, body)


def get_build(project: str, id: str) -> Call:
    return Call(f"{_BUILDS}.get", {"projectId": project, "id": id})


def read_begun(body: Mapping[str, Any]) -> BuildSnapshot:
    """The build that an operation is about."""
    return read_build((body.get("metadata") or {}).get("build") or {})


def read_build(body: Mapping[str, Any]) -> BuildSnapshot:
    """How a build stands."""
    status = str(body.get("status") or "QUEUED")
    failure = body.get("failureInfo") or {}
    words = _STAGES.get(status)
    return BuildSnapshot(
        id=str(body.get("id", "")),
        stage=words or status.lower().replace("_", " "),
        is_final=words is None or status == "SUCCESS",
        is_built=status == "SUCCESS",
        why=str(failure.get("detail") or body.get("statusDetail") or ""),
        log=str(body.get("logUrl") or ""),
    )
