"""What Vertex AI requires of models that are uploaded, beyond what its schema says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.images import check_serving_image
from cloudml_magic.local_platform.resources.models import ModelResources
from cloudml_magic.local_platform.resources.names import new_id, read_model_name, resource_name
from cloudml_magic.local_platform.routes.fields import Violations, check_display_name, check_labels, refuse

OUTPUT = frozenset(
    {"name", "versionId", "versionCreateTime", "versionUpdateTime", "createTime", "updateTime", "etag"}
    | {"deployedModels", "supportedDeploymentResourcesTypes", "supportedInputStorageFormats"}
    | {"supportedOutputStorageFormats", "supportedExportFormats", "satisfiesPzi", "satisfiesPzs", "trainingPipeline"}
    | {"modelSourceInfo", "originalModelInfo", "metadataArtifact", "checkpoints"}
)
"""What only a server says of a model; whoever sends it is not heard."""
_ID = re.compile(r"[a-z_][a-z0-9_-]{0,62}")
_ALIAS = re.compile(r"[a-z](?:[a-zA-Z0-9-]{0,126}[a-zA-Z0-9])?")
_ROUTE = re.compile(r"/[!-~]{0,1000}")


def check_model(body: Mapping[str, Any], where: str = "model", *, has_files: bool = True) -> None:
    """Refuses a model that could not be served here; one that is still to be trained has no files yet."""
    found: Violations = []
    check_display_name(body, where, found)
    check_labels(body, where, found)
    container = body.get("containerSpec", {})
    if not container.get("imageUri"):
        found.append((f"{where}.container_spec.image_uri", "Required field is not set."))
    if has_files and not body.get("artifactUri"):
        found.append((f"{where}.artifact_uri", "Required on the local platform, which serves SavedModels."))
    for field, name in (("predictRoute", "predict_route"), ("healthRoute", "health_route")):
        if container.get(field) and not _ROUTE.fullmatch(container[field]):
            found.append((f"{where}.container_spec.{name}", "A route is a path that begins with a slash."))
    for variable in container.get("env", []):
        name = variable.get("name", "")
        if not name or "=" in name or "\0" in name + variable.get("value", ""):
            found.append((f"{where}.container_spec.env", "A variable has no name, or holds a NUL or an equals sign."))
    if len(container.get("env", [])) > 200:
        found.append((f"{where}.container_spec.env", "At most 200 environment variables are supported."))
    refuse(found)
    check_aliases(body.get("versionAliases", []))
    check_serving_image(container["imageUri"])


def check_aliases(aliases: Sequence[str]) -> None:
    """Refuses what cannot be another name of a version."""
    for alias in aliases:
        if not _ALIAS.fullmatch(alias):
            raise PlatformError(
                400,
                f"{alias[:140]!r} is no version alias: up to 128 characters of a-z, 0-9 and -, the first a letter.",
                violations=[("version_aliases", "Invalid alias.")],
            )


def upload_target(models: ModelResources, location: str, request: Mapping[str, Any]) -> tuple[str, bool]:
    """The id of the model that is uploaded, and whether it is a new one."""
    id, parent = request.get("modelId", ""), request.get("parentModel", "")
    if parent:
        name = read_model_name(parent)
        if name is None or name[0] != location:
            raise PlatformError(400, f"parent_model {parent[:200]!r} is no model of the location {location}.")
        if id and id != name[1]:
            raise PlatformError(400, "model_id and parent_model name different models.")
        return models.version(location, name[1]).model, False
    if id and not _ID.fullmatch(id):
        raise PlatformError(
            400,
            f"model_id {id[:80]!r} is no id: up to 63 characters of a-z, 0-9, _ and -, the first a letter or _.",
            violations=[("model_id", "Invalid id.")],
        )
    if id and models.exists(location, id):
        raise PlatformError(
            409,
            f"The Model {resource_name(location, 'models', id)} already exists."
            " Name it as parent_model to upload another version of it.",
        )
    return id or new_id(), True
