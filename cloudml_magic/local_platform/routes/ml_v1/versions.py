"""The older API's versions of models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.artifacts import artifact_folder, check_presence
from cloudml_magic.local_platform.errors import PlatformError, refused
from cloudml_magic.local_platform.operations.worker import OperationWorker
from cloudml_magic.local_platform.predictors.deployments import Deployments
from cloudml_magic.local_platform.resources.endpoints import StoredEndpoint
from cloudml_magic.local_platform.resources.ml_operations import ml_operation_body, ml_typed, operation_id
from cloudml_magic.local_platform.resources.ml_versions import (
    NOWHERE,
    MlVersions,
    StoredMlVersion,
    VersionState,
    default_name,
    version_body,
)
from cloudml_magic.local_platform.resources.operations import Operations, typed
from cloudml_magic.local_platform.routes.call import Call, Handler, methods
from cloudml_magic.local_platform.routes.fields import check_etag
from cloudml_magic.local_platform.routes.ml_v1.changes import changed
from cloudml_magic.local_platform.routes.ml_v1.models import found_model, ready_version, said_of
from cloudml_magic.local_platform.routes.ml_v1.pages import ml_page
from cloudml_magic.local_platform.routes.ml_v1.refusals import check_ml_labels, check_name, required
from cloudml_magic.local_platform.wire import Response, json_response

_OUTPUT = frozenset({"state", "errorMessage", "createTime", "lastUseTime", "isDefault", "etag", "lastMigrationTime",
                     "lastMigrationModelId", "requestLoggingConfig"})  # fmt: skip
_FIELDS = frozenset({"name", "description", "labels", "state", "createTime", "runtimeVersion", "framework",
                     "machineType", "isDefault"})  # fmt: skip
_FRAMEWORKS = (None, "TENSORFLOW", "FRAMEWORK_UNSPECIFIED")
_CHANGEABLE = frozenset(
    {"description", "labels", "autoScaling", "autoScaling.minNodes", "autoScaling.maxNodes", "autoScaling.metrics"}
    | {"manualScaling", "manualScaling.nodes", "requestLoggingConfig", "etag"}
)


class MlVersionRoutes:
    """Handlers of `ml.projects.models.versions.*`."""

    def __init__(
        self,
        versions: MlVersions,
        deployments: Deployments,
        operations: Operations,
        worker: OperationWorker,
        buckets: Path,
    ) -> None:
        self._versions = versions
        self._deployments = deployments
        self._endpoints = deployments.endpoints
        self._operations = operations
        self._worker = worker
        self._buckets = buckets

    def handlers(self) -> Mapping[str, Handler]:
        return methods(
            "ml.projects.models.versions",
            create=self.create,
            get=self.get,
            list=self.list,
            patch=self.patch,
            delete=self.delete,
            setDefault=self.set_default,
        )

    def create(self, call: Call) -> Response:
        model = self._model(call)
        body = {name: value for name, value in call.body.items() if name not in _OUTPUT}
        _check_version(body)
        _check_folder(self._buckets, body["deploymentUri"])
        with self._versions.database.transaction():
            version = self._versions.create(model.id, body["name"], body)
            if version is None:
                raise refused(409, "version.name", "A version with the same name already exists.")
            return self._begin(call, "create", version)

    def get(self, call: Call) -> Response:
        model = self._model(call)
        return json_response(self._body(call, model, self._version(call, model)))

    def list(self, call: Call) -> Response:
        model = self._model(call)
        return ml_page(
            call,
            "versions",
            self._versions.of(model.id),
            body=lambda each: self._body(call, model, each),
            fields=_FIELDS,
        )

    def patch(self, call: Call) -> Response:
        with self._versions.database.transaction():
            model = self._model(call)
            version = self._version(call, model)
            check_etag(call.body.get("etag"), self._body(call, model, version)["etag"])
            sent = {name: value for name, value in call.body.items() if name != "etag"}
            body = changed(version.body, sent, call.query.get("updateMask", ""), _CHANGEABLE)
            check_ml_labels(body, "version")
            self._versions.change(version, body)
            answer = self._body(call, model, self._version(call, model))
            operation = self._operations.record_done(
                NOWHERE, f"models/{model.id}", typed("OperationMetadata", self._said(call, "UPDATE_VERSION", version)),
                ml_typed("Version", answer), operation_id("update", model.id, version.name),
            )  # fmt: skip
        return json_response(ml_operation_body(call.path["projectsId"], operation))

    def delete(self, call: Call) -> Response:
        with self._versions.database.transaction():
            model = self._model(call)
            version = self._version(call, model)
            if version.state is VersionState.CREATING:
                raise refused(
                    400, "name", "The version is being created. Wait for its operation, or cancel it.",
                    status="FAILED_PRECONDITION",
                )  # fmt: skip
            if default_name(model) == version.name and len(self._versions.of(model.id)) > 1:
                raise refused(
                    400, "name",
                    "The default version of a model can only be deleted when it is the only one. Make another version"
                    " the default first.",
                    status="FAILED_PRECONDITION",
                )  # fmt: skip
            self._versions.settle(model.id, version.name, VersionState.DELETING)
            return self._begin(call, "delete", version)

    def set_default(self, call: Call) -> Response:
        with self._versions.database.transaction():
            model = self._model(call)
            version = ready_version(self._versions, model.id, call.path["versionsId"])
            model = self._endpoints.update(model, traffic={version.name: 100})
        self._deployments.refresh(NOWHERE, model.id)
        return json_response(self._body(call, model, version))

    def _begin(self, call: Call, verb: str, version: StoredMlVersion) -> Response:
        project = call.path["projectsId"]
        operation = self._worker.begin(
            f"ml_{verb}_version", NOWHERE, f"models/{version.model}",
            ("OperationMetadata", self._said(call, f"{verb.upper()}_VERSION", version)),
            {"project": project, "model": version.model, "version": version.name},
            operation_id(verb, version.model, version.name),
        )  # fmt: skip
        return json_response(ml_operation_body(project, operation))

    def _said(self, call: Call, kind: str, version: StoredMlVersion) -> dict[str, Any]:
        told = version_body(call.path["projectsId"], version, None)
        said = {**said_of(call, kind, version.model), "version": told}
        return {**said, "labels": told["labels"]} if told.get("labels") else said

    def _model(self, call: Call) -> StoredEndpoint:
        return found_model(self._deployments, call.path["modelsId"])

    def _version(self, call: Call, model: StoredEndpoint) -> StoredMlVersion:
        found = self._versions.find(model.id, call.path["versionsId"])
        if found is None:
            raise refused(404, "name", "The specified model version was not found.")
        return found

    def _body(self, call: Call, model: StoredEndpoint, version: StoredMlVersion) -> dict[str, Any]:
        return version_body(call.path["projectsId"], version, default_name(model))


def _check_version(body: Mapping[str, Any]) -> None:
    check_name(body.get("name", ""), "version.name")
    check_ml_labels(body, "version")
    others = {
        f"framework {body.get('framework')}": body.get("framework") not in _FRAMEWORKS,
        "custom prediction routines (predictionClass)": body.get("predictionClass"),
        "packages of a version (packageUris)": body.get("packageUris"),
        "custom containers (container)": body.get("container"),
        "routes of a container (routes)": body.get("routes"),
    }
    if wanted := next((name for name, value in others.items() if value), None):
        raise PlatformError(
            501, f"The local platform serves TensorFlow's SavedModels only; it does not emulate {wanted} of a version."
        )
    for field in ("deploymentUri", "runtimeVersion"):
        required(body, field, "version")
    if body.get("autoScaling") and body.get("manualScaling"):
        raise refused(400, "version.manual_scaling", "It cannot be set together with auto_scaling.")


def _check_folder(buckets: Path, uri: str) -> None:
    """Refuses a folder without a SavedModel in the words of the older API."""
    try:
        check_presence(artifact_folder(buckets, uri), uri)
    except PlatformError as problem:
        if problem.status == "FAILED_PRECONDITION":
            raise refused(
                400, "version.deployment_uri", problem.message.replace("Model directory", "Deployment directory", 1),
                status="FAILED_PRECONDITION",
            ) from None  # fmt: skip
        raise refused(400, "version.deployment_uri", problem.message) from None
