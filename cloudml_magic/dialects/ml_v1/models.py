"""Models and versions of the old API, where every version answers as long as it exists, the default one by its model.

Our name of a version is `projects/P/models/M@2`; the API's is `projects/P/models/M/versions/v2`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from cloudml_magic.dialects.call import Call
from cloudml_magic.dialects.machines import machine_spec, read_machine
from cloudml_magic.dialects.ml_v1.names import letters, seconds
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Answer, DeployedVersion, Endpoint, Machine, ModelVersion, VersionSpec

_MODELS = "ml.projects.models"
_VERSIONS = f"{_MODELS}.versions"
_PAGE_SIZE = 100
_ALL = 100


def model_name(name: str, project: str) -> str:
    """What the API calls the model that users call so."""
    return f"projects/{project}/models/{letters(name)}"


def version_name(resource_name: str) -> str:
    """What the API calls a version."""
    model, separator, version = resource_name.partition("@")
    return f"{model}/versions/v{version}" if separator else model


def create_model(name: str, project: str, region: str, labels: Mapping[str, str]) -> Call:
    body = {"name": letters(name), "description": name, "regions": [region], "labels": dict(labels)}
    return Call(f"{_MODELS}.create", {"parent": f"projects/{project}"}, body)


def get_model(model: str) -> Call:
    return Call(f"{_MODELS}.get", {"name": model})


def list_models(project: str, page_token: str | None = None) -> Call:
    return Call(f"{_MODELS}.list", _listing(f"projects/{project}", page_token))


def delete_model(model: str) -> Call:
    return Call(f"{_MODELS}.delete", {"name": model})


def create_version(model: str, number: int, spec: VersionSpec, machine: Machine) -> Call:
    """A version of a number; the runtime stands in the place of the image that Vertex AI is told."""
    specification = machine_spec(machine)
    body: dict[str, Any] = {
        "name": f"v{number}",
        "deploymentUri": spec.artifact_uri,
        "framework": "TENSORFLOW",
        "runtimeVersion": _runtime(spec.image),
        "pythonVersion": f"{sys.version_info.major}.{sys.version_info.minor}",
        "machineType": specification["machineType"],
        "labels": dict(spec.labels),
    }
    if "acceleratorType" in specification:
        accelerator = {"type": specification["acceleratorType"], "count": str(specification["acceleratorCount"])}
        body["acceleratorConfig"] = accelerator
    return Call(f"{_VERSIONS}.create", {"parent": model}, body)


def list_versions(model: str, page_token: str | None = None) -> Call:
    return Call(f"{_VERSIONS}.list", _listing(model, page_token))


def delete_version(resource_name: str) -> Call:
    return Call(f"{_VERSIONS}.delete", {"name": version_name(resource_name)})


def set_default(model: str, version: str) -> Call:
    """From here on the model answers by this version."""
    return Call(f"{_VERSIONS}.setDefault", {"name": f"{model}/versions/v{version}"}, {})


def predict(name: str, instances: Sequence[Any], signature: str | None = None) -> Call:
    """Asks a model or a version, by its default signature or a named one."""
    body: dict[str, Any] = {"instances": list(instances)}
    if signature:
        body["signature_name"] = signature
    headers = {"content-type": "application/json"}
    return Call("ml.projects.predict", {"name": name}, content=json.dumps(body).encode(), headers=headers)


def read_models(body: Mapping[str, Any]) -> tuple[list[ModelVersion], str | None]:
    """The models of a page, each by its default version, and the token of the next page."""
    models = [_default(model) for model in body.get("models", []) if model.get("defaultVersion")]
    return models, body.get("nextPageToken") or None


def read_model_name(body: Mapping[str, Any]) -> str:
    """What users call a model."""
    return str(body.get("description") or body["name"].rpartition("/")[2])


def read_versions(body: Mapping[str, Any], called: str) -> tuple[list[ModelVersion], str | None]:
    """The versions of a page and the token of the next page."""
    versions = [_version(version, called) for version in body.get("versions", [])]
    return versions, body.get("nextPageToken") or None


def read_endpoint(model: Mapping[str, Any], versions: Sequence[Mapping[str, Any]]) -> Endpoint:
    """A model as the place where its versions answer."""
    return Endpoint(
        resource_name=model["name"],
        name=read_model_name(model),
        created=min((seconds(version.get("createTime")) or 0.0 for version in versions), default=0.0),
        deployed=tuple(_deployed(version) for version in versions if version.get("state", "READY") == "READY"),
        labels=model.get("labels") or {},
    )


def read_answer(content: bytes, deployed: DeployedVersion | None, model: str) -> Answer:
    """What was predicted; the API tells a failure of the model with HTTP 200, and each output by its name."""
    body = json.loads(content)
    if "error" in body:
        raise CloudMLError(
            "request-refused",
            "The model gave no prediction.",
            why=str(body["error"]),
            next="Mend what the message names and run the cell again.",
        )
    # One output is said by its name here, and bare in Vertex AI.
    rows = tuple(
        next(iter(row.values())) if isinstance(row, dict) and len(row) == 1 else row for row in body["predictions"]
    )
    return Answer(rows, deployed.id if deployed else "", model, deployed.version if deployed else "")


def _bare(row: Any) -> Any:
    """One output is said by its name here, and bare in Vertex AI."""
    return next(iter(row.values())) if isinstance(row, dict) and len(row) == 1 else row


def _listing(parent: str, page_token: str | None) -> dict[str, str | int | list[str]]:
    parameters: dict[str, str | int | list[str]] = {"parent": parent, "pageSize": _PAGE_SIZE}
    return parameters | ({"pageToken": page_token} if page_token else {})


def _default(model: Mapping[str, Any]) -> ModelVersion:
    return _version(model["defaultVersion"], read_model_name(model))


def _version(body: Mapping[str, Any], called: str) -> ModelVersion:
    model, _, name = body["name"].rpartition("/versions/")
    number = _number(name)
    return ModelVersion(
        resource_name=f"{model}@{number}",
        name=called,
        version=number,
        artifact_uri=body.get("deploymentUri", ""),
        image=f"runtime {body['runtimeVersion']}" if body.get("runtimeVersion") else "",
        created=seconds(body.get("createTime")) or 0.0,
        aliases=("default",) if body.get("isDefault") else (),
        labels=body.get("labels") or {},
    )


def _deployed(body: Mapping[str, Any]) -> DeployedVersion:
    model, _, name = body["name"].rpartition("/versions/")
    return DeployedVersion(
        id=name,
        model_resource=model,
        version=_number(name),
        traffic=_ALL if body.get("isDefault") else 0,
        created=seconds(body.get("createTime")) or 0.0,
        machine=read_machine(_specification(body)),
        message=body.get("errorMessage", ""),
    )


def _specification(body: Mapping[str, Any]) -> dict[str, Any]:
    """A version's machine as Vertex AI would say it."""
    accelerator = body.get("acceleratorConfig") or {}
    return {
        "machineType": body.get("machineType", ""),
        "acceleratorType": accelerator.get("type"),
        "acceleratorCount": accelerator.get("count"),
    }


def _number(name: str) -> str:
    """`2` of `v2`; a version of somebody else's naming is called as they call it."""
    return name[1:] if re.fullmatch(r"v\d+", name) else name


def _runtime(image: str) -> str:
    """`2.21` of `tensorflow/serving:2.21.0`."""
    found = re.search(r":(\d+\.\d+)", image) or re.search(r"\.(\d+)-(\d+)", image)
    return ".".join(found.groups()) if found else "2.15"
