"""Endpoints, what is deployed on them and how their traffic is split, as rows."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloudml_magic.local_platform.database import Database
from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.resources.models import etag_of
from cloudml_magic.local_platform.resources.names import resource_name
from cloudml_magic.local_platform.times import written


@dataclass(frozen=True, slots=True)
class StoredDeployment:
    """One version of a model on one endpoint; `body` is what was sent, `message` what its server said of itself."""

    location: str
    endpoint: str
    id: str
    body: Mapping[str, Any]
    model_location: str
    model: str
    version: int
    message: str
    created: float
    updated: float

    @property
    def endpoint_name(self) -> str:
        return _name(self.location, self.endpoint)

    @property
    def model_name(self) -> str:
        return resource_name(self.model_location, "models", self.model)

    @property
    def key(self) -> tuple[str, str, str]:
        return self.location, self.endpoint, self.id


@dataclass(frozen=True, slots=True)
class StoredEndpoint:
    """One endpoint; `body` is what was sent, `traffic` percents by the ids of what is deployed."""

    location: str
    id: str
    sequence: int
    body: Mapping[str, Any]
    traffic: Mapping[str, int]
    deployments: tuple[StoredDeployment, ...]
    created: float
    updated: float

    @property
    def resource_name(self) -> str:
        return _name(self.location, self.id)

    def deployment(self, id: str) -> StoredDeployment | None:
        return next((each for each in self.deployments if each.id == id), None)


class EndpointResources:
    """All endpoints of one platform; any thread may call."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def endpoint(self, location: str, id: str) -> StoredEndpoint:
        """Raises 404."""
        row = self.database.row("SELECT * FROM endpoints WHERE location = ? AND id = ?", location, id)
        if row is None:
            raise PlatformError(404, f"The Endpoint {resource_name(location, 'endpoints', id[:80])} does not exist.")
        return self._endpoint(row)

    def endpoints(self, location: str) -> list[StoredEndpoint]:
        """The latest first; `-` stands for every location."""
        rows = self.database.rows(
            "SELECT * FROM endpoints WHERE ?1 = '-' OR location = ?1 ORDER BY sequence DESC", location
        )
        return [self._endpoint(row) for row in rows]

    def create(self, location: str, id: str, body: Mapping[str, Any]) -> StoredEndpoint:
        now = time.time()
        with self.database.transaction():
            if self.database.row("SELECT 1 FROM endpoints WHERE location = ? AND id = ?", location, id):
                raise PlatformError(409, f"The Endpoint {resource_name(location, 'endpoints', id)} already exists.")
            self.database.write(
                "INSERT INTO endpoints (location, id, body, traffic, created, updated) VALUES (?,?,?,'{}',?,?)",
                location, id, json.dumps(body), now, now,
            )  # fmt: skip
            return self.endpoint(location, id)

    def update(
        self,
        endpoint: StoredEndpoint,
        *,
        body: Mapping[str, Any] | None = None,
        traffic: Mapping[str, int] | None = None,
    ) -> StoredEndpoint:
        """Replaces the body, the traffic split, or both."""
        kept = {id: percent for id, percent in (endpoint.traffic if traffic is None else traffic).items() if percent}
        with self.database.transaction():
            self.database.write(
                "UPDATE endpoints SET body = ?, traffic = ?, updated = max(updated, ?) WHERE location = ? AND id = ?",
                json.dumps(endpoint.body if body is None else body), json.dumps(kept), time.time(),
                endpoint.location, endpoint.id,
            )  # fmt: skip
            return self.endpoint(endpoint.location, endpoint.id)

    def delete(self, endpoint: StoredEndpoint) -> None:
        self.database.write("DELETE FROM endpoints WHERE sequence = ?", endpoint.sequence)

    def deployments(self) -> list[StoredDeployment]:
        """All of all endpoints."""
        return [_deployment(row) for row in self.database.rows("SELECT * FROM deployments ORDER BY sequence")]

    def deployments_of(self, location: str, model: str, version: int | None = None) -> list[StoredDeployment]:
        """Where a model, or one version of it, is deployed."""
        return [
            each
            for each in self.deployments()
            if (each.model_location, each.model) == (location, model) and version in (None, each.version)
        ]

    def add_deployment(self, deployment: StoredDeployment) -> None:
        with self.database.transaction():
            if self.endpoint(deployment.location, deployment.endpoint).deployment(deployment.id) is not None:
                raise PlatformError(409, f"{deployment.endpoint_name} has a DeployedModel {deployment.id} already.")
            self.database.write(
                "INSERT INTO deployments (location, endpoint, id, body, model_location, model, version, message,"
                " created, updated) VALUES (?,?,?,?,?,?,?,?,?,?)",
                deployment.location, deployment.endpoint, deployment.id, json.dumps(deployment.body),
                deployment.model_location, deployment.model, deployment.version, deployment.message,
                deployment.created, deployment.updated,
            )  # fmt: skip

    def update_deployment(
        self, deployment: StoredDeployment, *, body: Mapping[str, Any] | None = None, message: str | None = None
    ) -> None:
        self.database.write(
            "UPDATE deployments SET body = coalesce(?, body), message = coalesce(?, message), updated = max(updated, ?)"
            " WHERE location = ? AND endpoint = ? AND id = ?",
            None if body is None else json.dumps(body), message, time.time(), *deployment.key,
        )  # fmt: skip

    def delete_deployment(self, deployment: StoredDeployment) -> None:
        self.database.write("DELETE FROM deployments WHERE location = ? AND endpoint = ? AND id = ?", *deployment.key)

    def _endpoint(self, row: Any) -> StoredEndpoint:
        found = self.database.rows(
            "SELECT * FROM deployments WHERE location = ? AND endpoint = ? ORDER BY sequence",
            row["location"],
            row["id"],
        )
        return StoredEndpoint(
            location=row["location"],
            id=row["id"],
            sequence=row["sequence"],
            body=json.loads(row["body"]),
            traffic=json.loads(row["traffic"]),
            deployments=tuple(map(_deployment, found)),
            created=row["created"],
            updated=row["updated"],
        )


def deployed_body(deployment: StoredDeployment, status: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The DeployedModel of a deployment."""
    body = {
        **deployment.body,
        "id": deployment.id,
        "model": deployment.model_name,
        "modelVersionId": str(deployment.version),
        "createTime": written(deployment.created),
    }
    return {**body, "status": status} if status else body


def endpoint_body(endpoint: StoredEndpoint, statuses: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The resource of an endpoint; `statuses` by the ids of what is deployed."""
    body = {
        **endpoint.body,
        "name": endpoint.resource_name,
        "createTime": written(endpoint.created),
        "updateTime": written(endpoint.updated),
    }
    if endpoint.deployments:
        body["deployedModels"] = [deployed_body(each) for each in endpoint.deployments]
    if endpoint.traffic:
        body["trafficSplit"] = dict(endpoint.traffic)
    body["etag"] = etag_of(body)
    if endpoint.deployments:
        body["deployedModels"] = [deployed_body(each, statuses.get(each.id)) for each in endpoint.deployments]
    return body


def _name(location: str, id: str) -> str:
    return resource_name(location, "endpoints" if location else "models", id)


def _deployment(row: Any) -> StoredDeployment:
    return StoredDeployment(
        location=row["location"],
        endpoint=row["endpoint"],
        id=row["id"],
        body=json.loads(row["body"]),
        model_location=row["model_location"],
        model=row["model"],
        version=row["version"],
        message=row["message"],
        created=row["created"],
        updated=row["updated"],
    )
