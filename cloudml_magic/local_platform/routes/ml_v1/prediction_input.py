"""A PredictionInput of the older API: what must be in it, which model it asks, and today's batch that does the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.artifacts import artifact_folder, check_contents, check_pinned, check_presence, pin
from cloudml_magic.local_platform.errors import PlatformError, refused
from cloudml_magic.local_platform.jobs.batch_inputs import in_our_buckets, input_objects
from cloudml_magic.local_platform.predictors.deployments import Deployments
from cloudml_magic.local_platform.resources.ml_versions import NOWHERE, MlVersions, VersionState, default_name
from cloudml_magic.local_platform.routes.ml_v1.refusals import required, snake

_WHERE = "prediction_input"
_FORMATS = {
    "JSON": "jsonl", "TEXT": "text", "CSV": "csv", "TF_RECORD": "tf-record", "TF_RECORD_GZIP": "tf-record-gzip",
}  # fmt: skip
_MODELS = ("modelName", "versionName", "uri")
_NAME = re.compile(r"projects/[^/]+/models/([^/]+)(?:/versions/([^/]+))?")
_MOST_PATHS, _MOST_ROWS = 1000, 100_000


class BatchQuestions:
    """Reads which model a batch asks, and about what."""

    def __init__(self, versions: MlVersions, deployments: Deployments, buckets: Path) -> None:
        self._versions = versions
        self._deployments = deployments
        self._buckets = buckets

    def model(self, given: Mapping[str, Any], *, trusted: bool) -> dict[str, Any]:
        """What is asked, once all that is given is found to fit; raises PlatformError."""
        _check(given)
        model = self._of_folder(given["uri"], trusted) if given.get("uri") else self._of_version(given)
        try:
            input_objects(self._buckets, given["inputPaths"])
        except PlatformError as problem:
            raise refused(400, f"{_WHERE}.input_paths", problem.message) from None
        try:
            in_our_buckets(self._buckets, given["outputPath"], "output")
        except PlatformError as problem:
            raise refused(400, f"{_WHERE}.output_path", problem.message) from None
        return model

    def _of_version(self, given: Mapping[str, Any]) -> dict[str, Any]:
        field = "versionName" if given.get("versionName") else "modelName"
        found = _NAME.fullmatch(given[field])
        if found is None or bool(found[2]) != (field == "versionName"):
            form = "projects/P/models/M" + ("/versions/V" if field == "versionName" else "")
            raise refused(400, f"{_WHERE}.{snake(field)}", f"{given[field][:200]!r} is no name such as {form}.")
        try:
            model = self._deployments.endpoints.endpoint(NOWHERE, found[1])
        except PlatformError:
            raise refused(
                404, f"{_WHERE}.{snake(field)}",
                f'The model resource: "{found[1][:128]}" was not found. Please create the Cloud ML model resource first'
                f" by using 'gcloud ml-engine models create {found[1][:128]}'.",
            ) from None  # fmt: skip
        version = self._versions.find(model.id, found[2] or default_name(model) or "")
        if version is None or version.state is not VersionState.READY:
            what = f"{model.id} has no version {found[2][:128]}" if found[2] else f"{model.id} has no default version"
            raise refused(404, f"{_WHERE}.{snake(field)}", f"{what} that is ready.")
        uploaded = self._deployments.models.version(NOWHERE, version.served_as)
        uri = uploaded.body["artifactUri"]
        check_pinned(artifact_folder(self._buckets, uri), uploaded.pinned, uploaded.title, uri)
        return _asked(uploaded.model_name, uri, uploaded.pinned)

    def _of_folder(self, uri: str, trusted: bool) -> dict[str, Any]:
        try:
            folder = artifact_folder(self._buckets, uri)
            check_presence(folder, uri)
            pinned = pin(folder, uri)
            check_contents(folder, uri, trusted=trusted)
        except PlatformError as problem:
            raise refused(400, f"{_WHERE}.uri", problem.message, status=problem.status) from None
        return _asked(uri, uri, pinned)


def batch_job(id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What runs for a batch prediction; `predictionInput` goes with it for what only the older API knows."""
    return {
        "displayName": id,
        "inputConfig": {
            "instancesFormat": _FORMATS[given["dataFormat"]], "gcsSource": {"uris": given["inputPaths"]},
        },
        "outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": given["outputPath"]}},
        "manualBatchTuningParameters": {"batchSize": int(given.get("batchSize") or 0)},
        "predictionInput": given,
    }  # fmt: skip


def _asked(name: str, uri: str, pinned: Mapping[str, Any]) -> dict[str, Any]:
    return {"title": name, "displayName": name, "artifactUri": uri, "pinned": dict(pinned)}


def _check(given: Mapping[str, Any]) -> None:
    for field in ("dataFormat", "inputPaths", "outputPath", "region"):
        required(given, field, _WHERE)
    if given["dataFormat"] not in _FORMATS:
        raise refused(400, f"{_WHERE}.data_format", f"It must be one of {', '.join(_FORMATS)}.")
    if given.get("outputDataFormat", "JSON") not in ("JSON", "DATA_FORMAT_UNSPECIFIED"):
        raise refused(400, f"{_WHERE}.output_data_format", "The local platform writes JSON only.")
    if sum(bool(given.get(field)) for field in _MODELS) != 1:
        raise refused(400, _WHERE, "Exactly one of model_name, version_name and uri must be set.")
    if len(given["inputPaths"]) > _MOST_PATHS:
        raise refused(400, f"{_WHERE}.input_paths", f"At most {_MOST_PATHS} are supported.")
    if not 0 <= int(given.get("batchSize") or 0) <= _MOST_ROWS:
        raise refused(400, f"{_WHERE}.batch_size", f"It must be from 0 to {_MOST_ROWS:,}.")
    if int(given.get("maxWorkerCount") or 0) < 0:
        raise refused(400, f"{_WHERE}.max_worker_count", "It must not be negative.")
