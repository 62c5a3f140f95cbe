"""Vertex AI: batch prediction jobs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.artifacts import (
    artifact_folder,
    check_contents,
    check_pinned,
    is_trusted,
    model_uri,
)
from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.jobs.batch import told_of
from cloudml_magic.local_platform.jobs.batch_inputs import in_our_buckets, input_objects
from cloudml_magic.local_platform.resources.jobs import JobResources, StoredJob, server_fields
from cloudml_magic.local_platform.resources.models import ModelResources, StoredVersion
from cloudml_magic.local_platform.routes.call import Call
from cloudml_magic.local_platform.routes.fields import Violations, check_display_name, check_labels, refuse
from cloudml_magic.local_platform.routes.jobs import FIELDS, OUTPUT, JobRoutes, Runner
from cloudml_magic.local_platform.wire import Response
from cloudml_magic.places import PlatformPlaces
from cloudml_magic.records import JobKind

_OUTPUT = OUTPUT | {"outputInfo", "completionStats", "partialFailures", "resourcesConsumed", "modelVersionId"}
_FORMATS = ("jsonl", "csv", "tf-record", "tf-record-gzip", "file-list")
_MODEL = re.compile(r"projects/[^/]+/locations/([^/]+)/models/([^/@]+)(?:@([^/@]+))?")
_MOST_URIS, _MOST_ROWS, _MOST_WORKERS = 1000, 100_000, 16


class BatchPredictionJobRoutes(JobRoutes):
    """Handlers of `aiplatform.projects.locations.batchPredictionJobs.*`."""

    kind = JobKind.BATCH
    filtered = FIELDS | {"model"}

    def __init__(self, resources: JobResources, runner: Runner, models: ModelResources, places: PlatformPlaces) -> None:
        super().__init__(resources, runner)
        self._models = models
        self._buckets = places.buckets
        self._jobs = places.jobs

    def create(self, call: Call) -> Response:
        sent = {name: value for name, value in call.body.items() if name not in _OUTPUT}
        body = {"manualBatchTuningParameters": {}, **sent}  # As Vertex answers it.
        location = call.path["locationsId"]
        _check_emulated(body)
        _check_fields(body)
        version = self._version(location, body["model"])
        _check_model(self._buckets, version)
        input_objects(self._buckets, body["inputConfig"]["gcsSource"]["uris"])
        in_our_buckets(self._buckets, body["outputConfig"]["gcsDestination"]["outputUriPrefix"], "output")
        return self._kept(*self._resources.create_job(location, body, self.kind, _asked(self._buckets, version)))

    def body(self, job: StoredJob) -> dict[str, Any]:
        told = told_of(self._jobs / job.id)
        return {**job.body, "modelVersionId": job.model["version"], **told, **server_fields(job)}

    def _version(self, location: str, name: str) -> StoredVersion:
        found = _MODEL.fullmatch(name)
        if found is None or found[1] != location:
            message = f"{name[:200]!r} is no model of this location: projects/P/locations/{location}/models/M."
            raise PlatformError(400, message, violations=[("batch_prediction_job.model", message)])
        return self._models.version(location, found[2], found[3])


def _asked(buckets: Path, version: StoredVersion) -> dict[str, Any]:
    return {
        "title": version.title,
        "version": str(version.version),
        "displayName": version.body["displayName"],
        "artifactUri": model_uri(version.body, buckets),
        "pinned": dict(version.pinned),
    }


def _check_model(buckets: Path, version: StoredVersion) -> None:
    uri = model_uri(version.body, buckets)
    folder = artifact_folder(buckets, uri)
    check_pinned(folder, version.pinned, version.title, uri)
    check_contents(folder, uri, trusted=is_trusted(version.body))


def _check_emulated(body: Mapping[str, Any]) -> None:
    """Refuses what Vertex AI has and this platform has not."""
    source, destination = body.get("inputConfig", {}), body.get("outputConfig", {})
    others = {
        "unmanagedContainerModel": body.get("unmanagedContainerModel"),
        "explanations (generateExplanation)": body.get("generateExplanation"),
        "instanceConfig": body.get("instanceConfig"),
        "input from BigQuery": source.get("bigquerySource"),
        "input from a managed dataset": source.get("vertexMultimodalDatasetSource"),
        "output to BigQuery": destination.get("bigqueryDestination"),
        "output to a managed dataset": destination.get("vertexMultimodalDatasetDestination"),
    }
    if wanted := next((name for name, value in others.items() if value), None):
        raise PlatformError(
            501,
            f"The local platform does not emulate {wanted} of batch predictions: it asks an uploaded model about"
            " objects of its own buckets.",
        )


def _check_fields(body: Mapping[str, Any]) -> None:
    """What Vertex AI requires beyond what its schema says."""
    found: Violations = []
    where = "batch_prediction_job"
    check_display_name(body, where, found)
    check_labels(body, where, found)
    source, destination = body.get("inputConfig", {}), body.get("outputConfig", {})
    uris = source.get("gcsSource", {}).get("uris", [])
    required = {
        "model": body.get("model"),
        "input_config.gcs_source.uris": uris,
        "output_config.gcs_destination.output_uri_prefix": destination.get("gcsDestination", {}).get("outputUriPrefix"),
    }
    found += [(f"{where}.{field}", "Required field is not set.") for field, value in required.items() if not value]
    if source.get("instancesFormat") not in _FORMATS:
        found.append((f"{where}.input_config.instances_format", f"It must be one of {', '.join(_FORMATS)}."))
    if destination.get("predictionsFormat") != "jsonl":
        found.append((f"{where}.output_config.predictions_format", "The local platform writes jsonl only."))
    if len(uris) > _MOST_URIS:
        found.append((f"{where}.input_config.gcs_source.uris", f"At most {_MOST_URIS} are supported."))
    counts = {
        "manual_batch_tuning_parameters.batch_size": (
            body.get("manualBatchTuningParameters", {}).get("batchSize", 0), _MOST_ROWS,
        ),
        "dedicated_resources.starting_replica_count": (
            body.get("dedicatedResources", {}).get("startingReplicaCount", 0), _MOST_WORKERS,
        ),
    }  # fmt: skip
    for field, (count, most) in counts.items():
        if not 0 <= count <= most:
            found.append((f"{where}.{field}", f"It must be from 0 to {most:,}."))
    refuse(found)
