"""Vertex AI: endpoints, and what is deployed on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.operations.worker import OperationWorker
from cloudml_magic.local_platform.preconditions import refuse_occupied
from cloudml_magic.local_platform.resources.endpoints import (
    EndpointResources,
    StoredDeployment,
    StoredEndpoint,
    endpoint_body,
)
from cloudml_magic.local_platform.resources.models import ModelResources, StoredVersion
from cloudml_magic.local_platform.resources.names import new_id, read_model_name
from cloudml_magic.local_platform.routes.call import Call, Handler, methods
from cloudml_magic.local_platform.routes.endpoint_checks import (
    check_endpoint,
    check_endpoint_id,
    check_new_id,
    check_resources,
)
from cloudml_magic.local_platform.routes.fields import (
    check_etag,
    masked_changes,
)
from cloudml_magic.local_platform.routes.pages import camel, page
from cloudml_magic.local_platform.traffic import NEW, check_split, refuse_traffic_left
from cloudml_magic.local_platform.wire import Response, json_response

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
        self, endpoints: EndpointResources, models: ModelResources, worker: OperationWorker, statuses: Statuses
    ) -> None:
        self._endpoints = endpoints
        self._models = models
        self._worker = worker
        self._statuses = statuses

    def handlers(self) -> Mapping[str, Handler]:
        return methods(
            "aiplatform.projects.locations.endpoints",
            create=self.create,
            get=self.get,
            list=self.list,
            patch=self.patch,
            delete=self.delete,
            deployModel=self.deploy,
            undeployModel=self.undeploy,
            mutateDeployedModel=self.mutate,
            explain=self.explain,
        )

    def create(self, call: Call) -> Response:
        id = call.query.get("endpointId", "")
        check_endpoint_id(id)
        location, body = call.path["locationsId"], call.body
        check_endpoint(body)
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
        found = [each for each in self._endpoints.endpoints(call.path["locationsId"]) if each.location]
        return page(call, "endpoints", found, body=self._body, fields=_FIELDS)

    def patch(self, call: Call) -> Response:
        changes = masked_changes(call.body, call.query.get("updateMask", ""), _CHANGEABLE)
        with self._endpoints.database.transaction():
            endpoint = self._endpoint(call)
            check_etag(call.body.get("etag"), self._body(endpoint)["etag"])
            traffic = changes.pop("trafficSplit", endpoint.traffic) or {}
            check_split(traffic, {each.id for each in endpoint.deployments})
            body = {name: value for name, value in {**endpoint.body, **changes}.items() if value is not None}
            check_endpoint(body)
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
        check_resources(sent)
        id = sent.get("id", "")
        check_new_id(endpoint, id)
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
        check_resources(body)
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
