"""The older API's online prediction: a model or one of its versions is asked, and what it fails at is no HTTP error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from urllib.parse import unquote

from cloudml_magic.discovery import Document, normalise_parameters
from cloudml_magic.local_platform.errors import refused
from cloudml_magic.local_platform.predictors.connection import Answer
from cloudml_magic.local_platform.predictors.deployments import Deployments
from cloudml_magic.local_platform.resources.ml_versions import NOWHERE, MlVersions, default_name
from cloudml_magic.local_platform.routes.call import Call, Handler
from cloudml_magic.local_platform.routes.ml_v1.models import found_model, ready_version
from cloudml_magic.local_platform.routes.predictions import (
    Prediction,
    PredictionRoutes,
    error_text,
    hashed,
    translated,
)
from cloudml_magic.local_platform.wire import Request, Response, json_response

_METHOD = "ml.projects.predict"
_ASKED = re.compile(r"/v1/projects/[^/:]+/models/([^/:]+)(?:/versions/([^/:]+))?:predict")
_MODEL_REFUSES = "The model refuses these instances: "
_FAILURES = (400, 500)


class MlPredictionRoutes:
    """Answers `ml.projects.predict`."""

    def __init__(
        self, api: Document, predictions: PredictionRoutes, versions: MlVersions, deployments: Deployments
    ) -> None:
        self._api = api
        self._predictions = predictions
        self._versions = versions
        self._deployments = deployments

    def handlers(self) -> Mapping[str, Handler]:
        return {_METHOD: self.refuse}

    def refuse(self, call: Call) -> Response:
        """Whatever else is asked to predict is no model."""
        raise refused(404, "name", "The specified model was not found.")

    def find(self, verb: str, path: str) -> Prediction | None:
        """What answers a prediction; None for every other request."""
        found = _ASKED.fullmatch(path) if verb == "POST" else None
        return None if found is None else partial(self._answer, unquote(found[1]), unquote(found[2] or ""))

    async def _answer(self, model: str, version: str, request: Request, keep: bool) -> Response:
        if request.query_text:
            normalise_parameters(self._api, self._api.methods[_METHOD], request.query)
        wanted = self._wanted(model, version)
        body = self._predictions.read(request)
        headers = {"Content-Type": "application/json"}
        _, answer = await self._predictions.ask(NOWHERE, model, wanted, headers, "", body, keep)
        return hashed(_predicted(answer))

    def _wanted(self, model: str, version: str) -> str:
        """The name of the version that is asked."""
        name = version or default_name(found_model(self._deployments, model))
        if not name:
            raise refused(
                400, "name", "The specified model has no default version. Create a version of it first.",
                status="FAILED_PRECONDITION",
            )  # fmt: skip
        return ready_version(self._versions, model, name).name


def _predicted(answer: Answer) -> Response:
    if answer.status == 200:
        return Response(200, {"content-type": "application/json; charset=UTF-8"}, answer.body)
    if answer.status not in _FAILURES:
        raise translated(answer)
    return json_response({"error": f"Prediction failed: {_failure(answer)}"})


def _failure(answer: Answer) -> str:
    """What went wrong, in the words of the older API: in the model, or before it."""
    text = error_text(answer)
    if answer.status == 400 and not text.startswith(_MODEL_REFUSES):
        return f"Error processing input: {text}"
    code = "INVALID_ARGUMENT" if answer.status == 400 else "INTERNAL"
    details = text.removeprefix(_MODEL_REFUSES)
    return f'Error during model execution: AbortionError(code=StatusCode.{code}, details="{details}")'
