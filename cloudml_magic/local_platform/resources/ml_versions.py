"""Models and versions of the older API (`ml` v1): what was sent, and what serves it.

A model of that API is what clients ask, so it is kept as an endpoint: one without a location, whose traffic all goes to
the default version. A version is a model of its own, `M/versions/V`, deployed there under its name.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cloudml_magic.local_platform.database import Database
from cloudml_magic.local_platform.resources.endpoints import StoredEndpoint
from cloudml_magic.local_platform.settings import REGION
from cloudml_magic.local_platform.times import written_in_seconds

NOWHERE = ""
"""The location of all that the older API has."""


class VersionState(StrEnum):
    """Where a version stands."""

    CREATING = "CREATING"
    READY = "READY"
    FAILED = "FAILED"
    DELETING = "DELETING"


@dataclass(frozen=True, slots=True)
class StoredMlVersion:
    """One version; `body` is what was sent."""

    sequence: int
    model: str
    name: str
    body: Mapping[str, Any]
    state: VersionState
    error: str | None
    created: float

    @property
    def served_as(self) -> str:
        """The id of the model of its own."""
        return f"{self.model}/versions/{self.name}"


class MlVersions:
    """All versions of the older API; any thread may call."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def create(self, model: str, name: str, body: Mapping[str, Any]) -> StoredMlVersion | None:
        """Keeps a new version that is still being created; nothing if its name is taken."""
        with self.database.transaction():
            if self.find(model, name) is not None:
                return None
            self.database.write(
                "INSERT INTO ml_versions (model, name, body, state, created) VALUES (?,?,?,?,?)",
                model, name, json.dumps(body), VersionState.CREATING, time.time(),
            )  # fmt: skip
            return self.find(model, name)

    def find(self, model: str, name: str) -> StoredMlVersion | None:
        row = self.database.row("SELECT * FROM ml_versions WHERE model = ? AND name = ?", model, name)
        return None if row is None else _version(row)

    def of(self, model: str) -> list[StoredMlVersion]:
        """The latest first."""
        rows = self.database.rows("SELECT * FROM ml_versions WHERE model = ? ORDER BY sequence DESC", model)
        return [_version(row) for row in rows]

    def settle(self, model: str, name: str, state: VersionState, error: str | None = None) -> None:
        """Moves a version to another state."""
        self.database.write(
            "UPDATE ml_versions SET state = ?, error = ? WHERE model = ? AND name = ?", state, error, model, name
        )

    def change(self, version: StoredMlVersion, body: Mapping[str, Any]) -> None:
        """Replaces what was sent."""
        self.database.write(
            "UPDATE ml_versions SET body = ? WHERE sequence = ?", json.dumps(body), version.sequence
        )  # fmt: skip

    def delete(self, model: str, name: str) -> None:
        self.database.write("DELETE FROM ml_versions WHERE model = ? AND name = ?", model, name)


def default_name(model: StoredEndpoint) -> str | None:
    """The name of the version that is asked where none is named."""
    return next(iter(model.traffic), None)


def version_body(project: str, version: StoredMlVersion, default: str | None) -> dict[str, Any]:
    """The resource of a version, as whoever asks by this project's name reads it."""
    body = {
        **version.body,
        "name": f"projects/{project}/models/{version.served_as}",
        "state": str(version.state),
        "createTime": written_in_seconds(version.created),
    }
    if version.name == default:
        body["isDefault"] = True
    if version.error:
        body["errorMessage"] = version.error
    return {**body, "etag": etag_in_bytes(body)}


def ml_model_body(project: str, model: StoredEndpoint, default: StoredMlVersion | None) -> dict[str, Any]:
    """The resource of a model, as whoever asks by this project's name reads it."""
    body = {**model.body, "name": f"projects/{project}/models/{model.id}"}
    if not body.get("regions"):
        body["regions"] = [REGION]
    if default is not None:
        body["defaultVersion"] = version_body(project, default, default.name)
    return {**body, "etag": etag_in_bytes(body)}


def etag_in_bytes(body: Mapping[str, Any]) -> str:
    """Changes whenever the resource does; in the older API an etag is bytes."""
    return base64.b64encode(hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()[:12]).decode()


def _version(row: Any) -> StoredMlVersion:
    return StoredMlVersion(
        sequence=row["sequence"],
        model=row["model"],
        name=row["name"],
        body=json.loads(row["body"]),
        state=VersionState(row["state"]),
        error=row["error"],
        created=row["created"],
    )
