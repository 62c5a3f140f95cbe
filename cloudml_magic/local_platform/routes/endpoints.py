"""Vertex AI: endpoints, and what is deployed on them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.preconditions import refuse_occupied
from cloudml_magic.local_platform.resources.endpoints import (
    EndpointResources,
    StoredDeployment,
    StoredEndpoint,
    endpoint_body,
)
from cloudml_magic.local_platform.resources.models import ModelResources, StoredVersion
from cloudml_magic.local_platform.resources.names import new_id, read_model_name
from cloudml_magic.local_platform.routes.call import Call, Handler
from cloudml_magic.local_platform.routes.fields import (
    Violations,
    check_display_name,
    check_etag,
    check_labels,
    masked_changes,
    refuse,
)
from cloudml_magic.local_platform.routes.models import Worker
from cloudml_magic.local_platform.routes.pages import camel, page
from cloudml_magic.local_platform.traffic import NEW, check_split, refuse_traffic_left
from cloudml_magic.local_platform.wire import Response, json_response

_ID = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?|[1-9][0-9]{0,8}")
_DEPLOYED_ID = re.compile(r"\d{1,10}")
_FIELDS = frozenset({"endpoint", "displayName", "name", "labels", "createTime", "updateTime"})
_CHANGEABLE = frozenset({"displayName", "description", "labels", "trafficSplit", "clientConnectionConfig"})
_REPLICAS = ("minReplicaCount", "maxReplicaCount", "requiredReplicaCount", "autoscalingMetricSpecs")
_MUTABLE = frozenset({f"dedicatedResources.{name}" for name in _REPLICAS} | {"disableContainerLogging"})
_OUTPUT = frozenset(
    {"name", "deployedModels", "trafficSplit", "etag", "createTime", "updateTime", "dedicatedEndpointDns"}
    | {"modelDeploymentMonitoringJob", "satisfiesPzi", "satisfiesPzs"}
)
_DEPLOYED_OUTPUT = frozenset({"createTime", "modelVersionId", "privateEndpoints", "status", "model", "id"})


class Statuses(Protocol):
    """Whoever runs what is deployed."""

    def status(self, deployment: StoredDeployment) -> Mapping[str, Any]: ...
    def refresh(self, location: str, endpoint: str) -> None: ...


class EndpointRoutes:
    """Handlers of `aiplatform.projects.locations.endpoints.*`, but for those that ask a model."""

    def __init__(
        self, endpoints: EndpointResources, models: ModelResources, worker: Worker, statuses: Statuses
    ) -> None:
        self._endpoints = endpoints
        self._models = models
        self._worker = worker
        self._statuses = statuses

    def handlers(self) -> Mapping[str, Handler]:
        prefix = "aiplatform.projects.locations.endpoints"
        return {
            f"{prefix}.create": self.create,
            f"{prefix}.get": self.get,
            f"{prefix}.list": self.list,
            f"{prefix}.patch": self.patch,
            f"{prefix}.delete": self.delete,
            f"{prefix}.deployModel": self.deploy,
            f"{prefix}.undeployModel": self.undeploy,
            f"{prefix}.mutateDeployedModel": self.mutate,
            f"{prefix}.explain": self.explain,
        }

    def create(self, call: Call) -> Response:
        id = call.query.get("endpointId", "")
        if id and not _ID.fullmatch(id):
            raise PlatformError(
                400,
                f"endpoint_id {id[:80]!r} is no id: up to 63 characters of a-z, 0-9 and -, beginning with a letter, or"
                " up to 9 digits.",
                violations=[("endpoint_id", "Invalid id.")],
            )
        location, body = call.path["locationsId"], call.body
        _check_endpoint(body)
        if body.get("trafficSplit"):
            raise PlatformError(400, "endpoint.traffic_split must be empty: nothing is deployed yet.")
        if id and any(endpoint.id == id for endpoint in self._endpoints.endpoints(location)):
            raise PlatformError(409, f"The Endpoint {id} already exists in {location}.")
        id = id or new_id()
        kept = {name: value for name, value in body.items() if name not in _OUTPUT}
        metadata: tuple[str, Mapping[str, Any]] = ("CreateEndpointOperationMetadata", {})
        return json_response(
            self._worker.begin("create_endpoint", location, f"endpoints/{id}", metadata, {"id": id, "body": kept})
        )

    def get(self, call: Call) -> Response:
        return json_response(self._body(self._endpoint(call)))

    def list(self, call: Call) -> Response:
        found = self._endpoints.endpoints(call.path["locationsId"])
        return page(call, "endpoints", found, sequence=lambda each: each.sequence, body=self._body, fields=_FIELDS)

    def patch(self, call: Call) -> Response:
        changes = masked_changes(call.body, call.query.get("updateMask", ""), _CHANGEABLE)
        with self._endpoints.database.transaction():
            endpoint = self._endpoint(call)
            check_etag(call.body.get("etag"), self._body(endpoint)["etag"])
            traffic = changes.pop("trafficSplit", endpoint.traffic) or {}
            check_split(traffic, {each.id for each in endpoint.deployments})
            body = {name: value for name, value in {**endpoint.body, **changes}.items() if value is not None}
            _check_endpoint(body)
            endpoint = self._endpoints.update(endpoint, body=body, traffic=traffic)
        self._statuses.refresh(endpoint.location, endpoint.id)
        return json_response(self._body(endpoint))

    def delete(self, call: Call) -> Response:
        endpoint = self._endpoint(call)
        refuse_occupied(endpoint)
        return self._begin("delete_endpoint", endpoint, "DeleteOperationMetadata", {})

    def deploy(self, call: Call) -> Response:
        endpoint = self._endpoint(call)
        sent = call.body.get("deployedModel", {})
        version = self._wanted(sent)
        _check_resources(sent)
        id = sent.get("id", "")
        if id and not _DEPLOYED_ID.fullmatch(id):
            raise PlatformError(
                400,
                f"deployed_model.id {id[:80]!r} is no id: it has 1 to 10 digits.",
                violations=[("deployed_model.id", "Invalid id.")],
            )
        if id and endpoint.deployment(id) is not None:
            raise PlatformError(409, f"{endpoint.resource_name} has a DeployedModel {id} already.")
        if id.strip("0") == "" and id:
            raise PlatformError(400, "deployed_model.id must not be 0, which stands for the new one in a split.")
        traffic = call.body.get("trafficSplit") or {}
        check_split(traffic, {each.id for each in endpoint.deployments} | {NEW, *([id] if id else [])})
        body = {name: value for name, value in sent.items() if name not in _DEPLOYED_OUTPUT}
        if not body.get("displayName"):
            body["displayName"] = version.body["displayName"]
        arguments = {
            "id": id or new_id(),
            "body": body,
            "model_location": version.location,
            "model": version.model,
            "version": version.version,
            "traffic": traffic,
        }
        return self._begin(
            "deploy_model",
            endpoint,
            "DeployModelOperationMetadata",
            arguments,
            {"deploymentStage": "STARTING_DEPLOYMENT"},
        )

    def undeploy(self, call: Call) -> Response:
        endpoint = self._endpoint(call)
        id = _deployed_id(call.body.get("deployedModelId", ""), "deployed_model_id")
        _found(endpoint, id)
        traffic = call.body.get("trafficSplit") or {}
        check_split(traffic, {each.id for each in endpoint.deployments})
        refuse_traffic_left(endpoint, id, traffic)
        arguments = {"id": id, "traffic": traffic}
        return self._begin("undeploy_model", endpoint, "UndeployModelOperationMetadata", arguments)

    def mutate(self, call: Call) -> Response:
        endpoint = self._endpoint(call)
        sent = call.body.get("deployedModel", {})
        deployment = _found(endpoint, _deployed_id(sent.get("id", ""), "deployed_model.id"))
        paths = [camel(path.strip()) for path in call.body.get("updateMask", "").split(",") if path.strip()]
        if not paths or not set(paths) <= _MUTABLE:
            raise PlatformError(
                400,
                f"update_mask: only {', '.join(sorted(_MUTABLE))} of a DeployedModel can be mutated.",
                violations=[("update_mask", "Fields that cannot be mutated, or none.")],
            )
        resources = dict(deployment.body.get("dedicatedResources", {}))
        body = {**deployment.body, "dedicatedResources": resources}
        for path in paths:
            holder, _, name = path.rpartition(".")
            source, target = (sent.get("dedicatedResources", {}), resources) if holder else (sent, body)
            target.pop(name, None)
            if name in source:
                target[name] = source[name]
        _check_resources(body)
        return self._begin(
            "mutate_deployed_model",
            endpoint,
            "MutateDeployedModelOperationMetadata",
            {"id": deployment.id, "body": body},
        )

    def explain(self, call: Call) -> Response:
        endpoint = self._endpoint(call)
        for deployment in endpoint.deployments:
            version = self._models.version(deployment.model_location, deployment.model, str(deployment.version))
            if deployment.body.get("explanationSpec") or version.body.get("explanationSpec"):
                raise PlatformError(501, "The local platform computes no explanations.")
        raise PlatformError(
            400,
            f"No model on {endpoint.resource_name} has an explanation_spec, without which it explains nothing.",
            status="FAILED_PRECONDITION",
        )

    def _begin(
        self,
        kind: str,
        endpoint: StoredEndpoint,
        metadata: str,
        arguments: Mapping[str, Any],
        stage: Mapping[str, Any] | None = None,
    ) -> Response:
        parent = f"endpoints/{endpoint.id}"
        return json_response(
            self._worker.begin(
                kind, endpoint.location, parent, (metadata, stage or {}), {"endpoint": endpoint.id, **arguments}
            )
        )

    def _endpoint(self, call: Call) -> StoredEndpoint:
        return self._endpoints.endpoint(call.path["locationsId"], call.path["endpointsId"])

    def _body(self, endpoint: StoredEndpoint) -> dict[str, Any]:
        return endpoint_body(endpoint, {each.id: self._statuses.status(each) for each in endpoint.deployments})

    def _wanted(self, deployed: Mapping[str, Any]) -> StoredVersion:
        name = read_model_name(deployed.get("model", ""))
        if name is None:
            raise PlatformError(
                400,
                f"deployed_model.model {deployed.get('model', '')[:200]!r} is no name of a Model.",
                violations=[
                    ("deployed_model.model", "Required: projects/P/locations/L/models/M, with @VERSION or not.")
                ],
            )
        return self._models.version(*name)


def _found(endpoint: StoredEndpoint, id: str) -> StoredDeployment:
    deployment = endpoint.deployment(id)
    if deployment is None:
        raise PlatformError(404, f"{endpoint.resource_name} has no DeployedModel {id[:80]}.")
    return deployment


def _deployed_id(id: str, field: str) -> str:
    if not id:
        raise PlatformError(400, f"{field}: Required field is not set.", violations=[(field, "Required.")])
    return id


def _check_endpoint(body: Mapping[str, Any]) -> None:
    found: Violations = []
    check_display_name(body, "endpoint", found)
    check_labels(body, "endpoint", found)
    refuse(found)


def _check_resources(deployed: Mapping[str, Any]) -> None:
    found: Violations = []
    resources = deployed.get("dedicatedResources")
    where = "deployed_model.dedicated_resources"
    if resources is None:
        found.append((where, "Required: the model supports DEDICATED_RESOURCES only."))
    else:
        if not resources.get("machineSpec", {}).get("machineType"):
            found.append((f"{where}.machine_spec.machine_type", "Required field is not set."))
        least = resources.get("minReplicaCount", 0)
        if least < 1:
            found.append((f"{where}.min_replica_count", "At least 1 replica is required."))
        if resources.get("maxReplicaCount") and resources["maxReplicaCount"] < least:
            found.append((f"{where}.max_replica_count", "It must not be smaller than min_replica_count."))
    refuse(found)
