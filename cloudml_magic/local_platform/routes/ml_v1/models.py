"""The older API's models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudml_magic.local_platform.errors import PlatformError, refused
from cloudml_magic.local_platform.operations.ml_versions import refuse_versions_left
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
    ml_model_body,
)
from cloudml_magic.local_platform.resources.operations import Operations, typed
from cloudml_magic.local_platform.routes.call import Call, Handler, methods
from cloudml_magic.local_platform.routes.fields import check_etag
from cloudml_magic.local_platform.routes.ml_v1.changes import changed, named_fields
from cloudml_magic.local_platform.routes.ml_v1.pages import ml_page
from cloudml_magic.local_platform.routes.ml_v1.refusals import check_ml_labels, check_name
from cloudml_magic.local_platform.wire import Response, json_response

_OUTPUT = frozenset({"defaultVersion", "etag"})
_FIELDS = frozenset({"name", "description", "labels", "regions"})
_OF_DEFAULT = "defaultVersion.name"
_CHANGEABLE = frozenset(
    {"description", "labels", "onlinePredictionLogging", "onlinePredictionConsoleLogging", _OF_DEFAULT, "etag"}
)


class MlModelRoutes:
    """Handlers of `ml.projects.models.*`, but for those of versions."""

    def __init__(
        self, versions: MlVersions, deployments: Deployments, operations: Operations, worker: OperationWorker
    ) -> None:
        self._versions = versions
        self._deployments = deployments
        self._endpoints = deployments.endpoints
        self._operations = operations
        self._worker = worker

    def handlers(self) -> Mapping[str, Handler]:
        return methods(
            "ml.projects.models", create=self.create, get=self.get, list=self.list, patch=self.patch, delete=self.delete
        )

    def create(self, call: Call) -> Response:
        body = {name: value for name, value in call.body.items() if name not in _OUTPUT}
        check_name(body.get("name", ""), "model.name")
        check_ml_labels(body, "model")
        if len(body.get("regions", [])) > 1:
            raise refused(400, "model.regions", "Only one region per model is supported.")
        with self._endpoints.database.transaction():
            if any(each.id == body["name"] for each in self._endpoints.endpoints(NOWHERE)):
                raise refused(409, "model.name", "A model with the same name already exists.")
            model = self._endpoints.create(NOWHERE, body["name"], body)
        self._deployments.refresh(NOWHERE, model.id)
        return json_response(self._body(call, model))

    def get(self, call: Call) -> Response:
        return json_response(self._body(call, found_model(self._deployments, call.path["modelsId"])))

    def list(self, call: Call) -> Response:
        return ml_page(
            call, "models", self._endpoints.endpoints(NOWHERE), body=lambda each: self._body(call, each), fields=_FIELDS
        )

    def patch(self, call: Call) -> Response:
        mask = call.query.get("updateMask", "")
        names = named_fields(mask, _CHANGEABLE)
        with self._endpoints.database.transaction():
            model = found_model(self._deployments, call.path["modelsId"])
            check_etag(call.body.get("etag"), self._body(call, model)["etag"])
            body = dict(model.body)
            if kept := [name for name in names if name not in (_OF_DEFAULT, "etag")]:
                body = changed(body, call.body, ",".join(kept), _CHANGEABLE)
            check_ml_labels(body, "model")
            traffic = None
            if _OF_DEFAULT in names:
                wanted = (call.body.get("defaultVersion") or {}).get("name") or ""
                traffic = {ready_version(self._versions, model.id, wanted.rpartition("/")[2]).name: 100}
            model = self._endpoints.update(model, body=body, traffic=traffic)
            answer = self._body(call, model)
            operation = self._operations.record_done(
                NOWHERE, f"models/{model.id}", _metadata(call, "UPDATE_MODEL", model.id), ml_typed("Model", answer),
                operation_id("update", model.id),
            )  # fmt: skip
        self._deployments.refresh(NOWHERE, model.id)
        return json_response(ml_operation_body(call.path["projectsId"], operation))

    def delete(self, call: Call) -> Response:
        model = found_model(self._deployments, call.path["modelsId"])
        refuse_versions_left(self._versions, model)
        operation = self._worker.begin(
            "ml_delete_model", NOWHERE, f"models/{model.id}",
            ("OperationMetadata", said_of(call, "DELETE_MODEL", model.id)), {"model": model.id},
            operation_id("delete", model.id),
        )  # fmt: skip
        return json_response(ml_operation_body(call.path["projectsId"], operation))

    def _body(self, call: Call, model: StoredEndpoint) -> dict[str, Any]:
        name = default_name(model)
        default = self._versions.find(model.id, name) if name else None
        return ml_model_body(call.path["projectsId"], model, default)


def found_model(deployments: Deployments, name: str) -> StoredEndpoint:
    """The model of a name; raises 404 in the words of the older API."""
    try:
        return deployments.endpoints.endpoint(NOWHERE, name)
    except PlatformError:
        raise refused(404, "name", "The specified model was not found.") from None


def ready_version(versions: MlVersions, model: str, name: str) -> StoredMlVersion:
    """A version that can be asked; raises for every other."""
    version = versions.find(model, name)
    if version is None:
        raise refused(404, "name", "The specified model version was not found.")
    if version.state is not VersionState.READY:
        raise refused(
            400, "name",
            "Online prediction is unavailable for this version. Please verify that CreateVersion has completed"
            " successfully.",
            status="FAILED_PRECONDITION",
        )  # fmt: skip
    return version


def said_of(call: Call, kind: str, model: str) -> dict[str, Any]:
    """What an operation says of itself."""
    return {"operationType": kind, "modelName": f"projects/{call.path['projectsId']}/models/{model}"}


def _metadata(call: Call, kind: str, model: str) -> dict[str, Any]:
    return typed("OperationMetadata", said_of(call, kind, model))
