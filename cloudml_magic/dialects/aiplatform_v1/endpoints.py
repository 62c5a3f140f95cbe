"""Endpoints of Vertex AI: what is deployed where, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cloudml_magic.dialects.aiplatform_v1.resources import listing, next_page, parent, quoted, seconds
from cloudml_magic.dialects.call import Call
from cloudml_magic.dialects.machines import machine_spec, read_machine
from cloudml_magic.records import Answer, DeployedVersion, DeploymentSpec, Endpoint

_ENDPOINTS = "aiplatform.projects.locations.endpoints"
_DEPLOYED_HEADER = "x-cloudml-deployed-model"
_JSON = "application/json"


def create_endpoint(name: str, project: str, region: str, labels: Mapping[str, str]) -> Call:
    return Call(f"{_ENDPOINTS}.create", {"parent": parent(project, region)}, {"displayName": name, "labels": labels})


def get_endpoint(resource_name: str) -> Call:
    return Call(f"{_ENDPOINTS}.get", {"name": resource_name})


def list_endpoints(project: str, region: str, *, name: str | None = None, page_token: str | None = None) -> Call:
    """The endpoints of a place; only those that are called `name` if it is given."""
    filter = f"display_name={quoted(name)}" if name else None
    return Call(f"{_ENDPOINTS}.list", listing(parent(project, region), page_token, filter))


def delete_endpoint(resource_name: str) -> Call:
    return Call(f"{_ENDPOINTS}.delete", {"name": resource_name})


def deploy_model(endpoint: str, spec: DeploymentSpec) -> Call:
    """Deploys a version under an id that the caller chose, so that a lost answer can be looked for."""
    deployed = {
        "id": spec.id,
        "model": spec.version.resource_name,
        "displayName": spec.version.name,
        "dedicatedResources": {
            "machineSpec": machine_spec(spec.machine),
            "minReplicaCount": spec.replicas[0],
            "maxReplicaCount": spec.replicas[1],
        },
    }
    split = {"0" if id == spec.id else id: share for id, share in spec.traffic.items()}
    return Call(f"{_ENDPOINTS}.deployModel", {"endpoint": endpoint}, {"deployedModel": deployed, "trafficSplit": split})


def undeploy_model(endpoint: str, deployed_id: str, traffic: Mapping[str, int]) -> Call:
    """Takes a version away; `traffic` is what the others get."""
    body: dict[str, Any] = {"deployedModelId": deployed_id}
    if traffic:
        body["trafficSplit"] = dict(traffic)
    return Call(f"{_ENDPOINTS}.undeployModel", {"endpoint": endpoint}, body)


def split_traffic(endpoint: str, traffic: Mapping[str, int]) -> Call:
    """Gives each deployed version its share in percent."""
    return Call(
        f"{_ENDPOINTS}.patch", {"name": endpoint, "updateMask": "trafficSplit"}, {"trafficSplit": dict(traffic)}
    )


def predict(endpoint: str, instances: Sequence[Any], deployed_id: str | None = None) -> Call:
    """Asks by the model's default signature."""
    return _asked("predict", endpoint, json.dumps({"instances": list(instances)}).encode(), _JSON, {}, deployed_id)


def raw_predict(
    endpoint: str, content: bytes, content_type: str, query: Mapping[str, str], deployed_id: str | None = None
) -> Call:
    """Hands a body of any kind through to the serving process."""
    return _asked("rawPredict", endpoint, content, content_type, query, deployed_id)


def read_answer(body: Mapping[str, Any]) -> Answer:
    """What `predict` answered."""
    return Answer(
        predictions=tuple(body.get("predictions") or ()),
        deployed_id=str(body.get("deployedModelId", "")),
        model_resource=str(body.get("model", "")).partition("@")[0],
        version=str(body.get("modelVersionId", "")),
    )


def read_raw_answer(content: bytes, headers: Mapping[str, str]) -> Answer:
    """What `rawPredict` answered, where the serving process speaks JSON in rows."""
    return Answer(
        predictions=tuple(json.loads(content)["predictions"]),
        deployed_id=headers.get("x-vertex-ai-deployed-model-id", ""),
        model_resource=headers.get("x-vertex-ai-model", "").partition("@")[0],
        version=headers.get("x-vertex-ai-model-version-id", ""),
    )


def read_endpoints(body: Mapping[str, Any]) -> tuple[list[Endpoint], str | None]:
    """A page of endpoints and the token of the next page."""
    return [read_endpoint(endpoint) for endpoint in body.get("endpoints", [])], next_page(body)


def read_endpoint(body: Mapping[str, Any]) -> Endpoint:
    """What the platform says of one endpoint."""
    traffic = body.get("trafficSplit") or {}
    return Endpoint(
        resource_name=body["name"],
        name=body.get("displayName", ""),
        created=seconds(body.get("createTime")) or 0.0,
        deployed=tuple(_deployed(item, traffic) for item in body.get("deployedModels") or ()),
        labels=body.get("labels") or {},
    )


def _asked(
    verb: str, endpoint: str, content: bytes, content_type: str, query: Mapping[str, str], deployed_id: str | None
) -> Call:
    headers = {"content-type": content_type} | ({_DEPLOYED_HEADER: deployed_id} if deployed_id else {})
    return Call(f"{_ENDPOINTS}.{verb}", {"endpoint": endpoint}, content=content, headers=headers, query=query)


def _deployed(body: Mapping[str, Any], traffic: Mapping[str, Any]) -> DeployedVersion:
    resources = body.get("dedicatedResources") or {}
    machine = resources.get("machineSpec") or {}
    return DeployedVersion(
        id=str(body["id"]),
        model_resource=body.get("model", "").partition("@")[0],
        version=str(body.get("modelVersionId") or body.get("model", "").partition("@")[2] or "1"),
        traffic=int(traffic.get(body["id"], 0)),
        created=seconds(body.get("createTime")) or 0.0,
        machine=read_machine(machine, {"strategy": "SPOT"} if resources.get("spot") else {}),
        min_replicas=int(resources.get("minReplicaCount") or 1),
        max_replicas=int(resources.get("maxReplicaCount") or 1),
        message=(body.get("status") or {}).get("message", ""),
    )
