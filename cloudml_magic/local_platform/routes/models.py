"""Vertex AI: models and their versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.artifacts import artifact_folder, check_presence, model_uri
from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.operations.worker import OperationWorker
from cloudml_magic.local_platform.preconditions import refuse_default, refuse_deployed
from cloudml_magic.local_platform.resources.endpoints import EndpointResources
from cloudml_magic.local_platform.resources.models import DEFAULT, ModelResources, StoredVersion, model_body
from cloudml_magic.local_platform.routes.call import Call, Handler, methods
from cloudml_magic.local_platform.routes.fields import (
    Violations,
    check_display_name,
    check_etag,
    check_labels,
    masked_changes,
    refuse,
)
from cloudml_magic.local_platform.routes.model_checks import OUTPUT, check_aliases, check_model, upload_target
from cloudml_magic.local_platform.routes.pages import page
from cloudml_magic.local_platform.secrets_masked import masked_container
from cloudml_magic.local_platform.wire import Response, json_response

_FIELDS = frozenset({"model", "displayName", "name", "labels", "createTime", "updateTime", "versionId"})
_CHANGEABLE = frozenset({"displayName", "description", "versionDescription", "labels"})


class ModelRoutes:
    """Handlers of `aiplatform.projects.locations.models.*`."""

    def __init__(
        self, models: ModelResources, endpoints: EndpointResources, worker: OperationWorker, buckets: Path
    ) -> None:
        self._models = models
        self._endpoints = endpoints
        self._worker = worker
        self._buckets = buckets

    def handlers(self) -> Mapping[str, Handler]:
        return methods(
            "aiplatform.projects.locations.models",
            upload=self.upload,
            get=self.get,
            list=self.list,
            listVersions=self.list_versions,
            patch=self.patch,
            mergeVersionAliases=self.merge_aliases,
            delete=self.delete,
            deleteVersion=self.delete_version,
        )

    def upload(self, call: Call) -> Response:
        location = call.path["locationsId"]
        body = {name: value for name, value in call.body.get("model", {}).items() if name not in OUTPUT}
        check_model(body)
        uri = model_uri(body, self._buckets)
        check_presence(artifact_folder(self._buckets, uri), uri)
        id, is_new = upload_target(self._models, location, call.body)
        arguments = {"model": id, "is_new": is_new, "body": body}
        metadata: tuple[str, Mapping[str, Any]] = ("UploadModelOperationMetadata", {})
        return json_response(self._worker.begin("upload_model", location, f"models/{id}", metadata, arguments))

    def get(self, call: Call) -> Response:
        return json_response(self._body(self._version(call)))

    def list(self, call: Call) -> Response:
        versions = [
            version
            for version in self._models.versions(call.path["locationsId"])
            if version.location and DEFAULT in version.aliases
        ]
        return self._page(call, versions)

    def list_versions(self, call: Call) -> Response:
        version = self._version(call)
        return self._page(call, self._models.versions(version.location, version.model))

    def patch(self, call: Call) -> Response:
        version = self._version(call)
        changes = masked_changes(call.body, call.query.get("updateMask", ""), _CHANGEABLE)
        found: Violations = []
        if "displayName" in changes:
            check_display_name(changes, "model", found)
        check_labels(changes, "model", found)
        refuse(found)
        with self._models.database.transaction():
            check_etag(call.body.get("etag"), self._body(self._version(call))["etag"])
            return json_response(self._body(self._models.patch(version, changes)))

    def merge_aliases(self, call: Call) -> Response:
        version = self._version(call)
        if "@" not in call.path["modelsId"]:
            raise PlatformError(400, "The model's name must say which version: models/ID@VERSION.")
        sent = call.body.get("versionAliases", [])
        if not sent:
            raise PlatformError(400, "version_aliases: Required field is not set.")
        # The same alias given and taken cancels out, as Google has it.
        added = [alias for alias in sent if not alias.startswith("-") and f"-{alias}" not in sent]
        removed = [alias[1:] for alias in sent if alias.startswith("-") and alias[1:] not in sent]
        check_aliases([*added, *removed])
        if DEFAULT in removed and DEFAULT in version.aliases:
            raise PlatformError(
                400,
                f"The alias {DEFAULT} cannot be removed from {version.title}: a model has exactly one default version."
                " Give it to another version instead.",
            )
        return json_response(self._body(self._models.merge_aliases(version, added, removed)))

    def delete(self, call: Call) -> Response:
        if "@" in call.path["modelsId"]:
            raise PlatformError(400, "models.delete takes a model without a version; to delete one, use deleteVersion.")
        version = self._version(call)
        refuse_deployed(self._endpoints, version, whole_model=True)
        return self._begin("delete_model", version, {})

    def delete_version(self, call: Call) -> Response:
        if "@" not in call.path["modelsId"]:
            raise PlatformError(400, "The model's name must say which version: models/ID@VERSION.")
        version = self._version(call)
        refuse_default(version)
        refuse_deployed(self._endpoints, version)
        return self._begin("delete_model_version", version, {"version": str(version.version)})

    def _begin(self, kind: str, version: StoredVersion, arguments: Mapping[str, Any]) -> Response:
        operation = self._worker.begin(
            kind,
            version.location,
            f"models/{version.model}",
            ("DeleteOperationMetadata", {}),
            {"model": version.model, **arguments},
        )
        return json_response(operation)

    def _version(self, call: Call) -> StoredVersion:
        id, _, wanted = call.path["modelsId"].partition("@")
        if "/" in id:
            # So the older API's versions are kept, and `-` for every location would reach them.
            raise PlatformError(404, f"The Model {id[:80]} does not exist.")
        return self._models.version(call.path["locationsId"], id, wanted or None)

    def _body(self, version: StoredVersion) -> dict[str, Any]:
        found = self._endpoints.deployments_of(version.location, version.model, version.version)
        body = model_body(version, [(each.endpoint_name, each.id) for each in found])
        return masked_container(body)

    def _page(self, call: Call, versions: Sequence[StoredVersion]) -> Response:
        return page(call, "models", versions, body=self._body, fields=_FIELDS)
