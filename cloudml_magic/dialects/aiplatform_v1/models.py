"""Models and their versions in Vertex AI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudml_magic.dialects.aiplatform_v1.resources import listing, next_page, parent, quoted, seconds
from cloudml_magic.dialects.call import Call
from cloudml_magic.records import ModelVersion, VersionSpec

_MODELS = "aiplatform.projects.locations.models"
_PORT = 8501  # where TensorFlow Serving answers REST
# TensorFlow Serving takes a folder of numbered ones; Vertex AI tells a container where it has put the artifact.
_NUMBER = "1"
_SERVER = ("/usr/bin/tensorflow_model_server",)
_BASE_PATH = "--model_base_path=$(AIP_STORAGE_URI)"
_ARGUMENTS = (
    "--model_name=model",
    _BASE_PATH,
    f"--rest_api_port={_PORT}",
    "--port=8500",
    "--file_system_poll_wait_seconds=31540000",
)


def upload_model(spec: VersionSpec, project: str, region: str) -> Call:
    """A new model, or a new version of one; of a numbered folder TensorFlow Serving is told the holder."""
    route = "/v1/models/model"
    model: dict[str, Any] = {
        "displayName": spec.name,
        "artifactUri": spec.artifact_uri.rpartition("/")[0] if spec.numbered else spec.artifact_uri,
        "containerSpec": {
            "imageUri": spec.image,
            **({"command": list(_SERVER), "args": list(_ARGUMENTS)} if spec.numbered else {}),
            "ports": [{"containerPort": _PORT}],
            "predictRoute": f"{route}:predict",
            "healthRoute": route,
        },
    }
    if spec.labels:
        model["labels"] = dict(spec.labels)
    if spec.aliases:
        model["versionAliases"] = list(spec.aliases)
    body: dict[str, Any] = {"model": model}
    if spec.parent_model:
        body["parentModel"] = spec.parent_model
    return Call(f"{_MODELS}.upload", {"parent": parent(project, region)}, body)


def get_model(resource_name: str) -> Call:
    return Call(f"{_MODELS}.get", {"name": resource_name})


def list_models(project: str, region: str, *, name: str | None = None, page_token: str | None = None) -> Call:
    """The models of a place, each by its default version; only those that are called `name` if it is given."""
    filter = f"display_name={quoted(name)}" if name else None
    return Call(f"{_MODELS}.list", listing(parent(project, region), page_token, filter))


def list_versions(model_resource: str, page_token: str | None = None) -> Call:
    parameters = listing("", page_token)
    del parameters["parent"]
    return Call(f"{_MODELS}.listVersions", {"name": model_resource, **parameters})


def delete_model(model_resource: str) -> Call:
    return Call(f"{_MODELS}.delete", {"name": model_resource})


def delete_version(resource_name: str) -> Call:
    return Call(f"{_MODELS}.deleteVersion", {"name": resource_name})


def merge_aliases(resource_name: str, aliases: tuple[str, ...]) -> Call:
    """Gives a version these aliases; whoever had them loses them."""
    return Call(f"{_MODELS}.mergeVersionAliases", {"name": resource_name}, {"versionAliases": list(aliases)})


def read_models(body: Mapping[str, Any]) -> tuple[list[ModelVersion], str | None]:
    """A page of models, or of a model's versions, and the token of the next page."""
    return [read_model(model) for model in body.get("models", [])], next_page(body)


def read_model(body: Mapping[str, Any]) -> ModelVersion:
    """What the platform says of one version; its resource name carries the version."""
    resource, version = body["name"].partition("@")[0], str(body.get("versionId") or "1")
    container = body.get("containerSpec") or {}
    folder = f"/{_NUMBER}" if _BASE_PATH in (container.get("args") or ()) else ""
    return ModelVersion(
        resource_name=f"{resource}@{version}",
        name=body.get("displayName", ""),
        version=version,
        artifact_uri=body.get("artifactUri", "") + folder,
        image=container.get("imageUri", ""),
        created=seconds(body.get("versionCreateTime") or body.get("createTime")) or 0.0,
        aliases=tuple(body.get("versionAliases") or ()),
        labels=body.get("labels") or {},
    )


def read_uploaded(response: Mapping[str, Any]) -> str:
    """The resource name of the version that an upload made."""
    return f"{response['model'].partition('@')[0]}@{response.get('modelVersionId') or '1'}"
