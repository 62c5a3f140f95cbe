"""Batch prediction jobs of Vertex AI: records to calls and answers to records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudml_magic.dialects.aiplatform_v1.jobs import STATES
from cloudml_magic.dialects.aiplatform_v1.resources import TOKEN_LABEL, JobCalls, next_page, parent, seconds
from cloudml_magic.dialects.call import Call
from cloudml_magic.dialects.machines import machine_spec, machine_title, read_machine
from cloudml_magic.records import BatchSpec, JobFailure, JobKind, JobSnapshot, Target
from cloudml_magic.states import JobState

_JOBS = "aiplatform.projects.locations.batchPredictionJobs"
_CALLS = JobCalls(_JOBS)
get_job, list_jobs, cancel_job, delete_job = _CALLS.get, _CALLS.list, _CALLS.cancel, _CALLS.delete
resource_name = _CALLS.resource_name
_FORMATS = {"jsonl": "jsonl", "csv": "csv", "tfrecord": "tf-record", "files": "file-list"}


def create_batch_job(spec: BatchSpec, project: str, region: str) -> Call:
    """The submission; its token travels as a label, as that of a training does."""
    resources: dict[str, Any] = {"machineSpec": machine_spec(spec.machine)}
    if spec.workers is not None:
        resources |= {"startingReplicaCount": spec.workers, "maxReplicaCount": spec.workers}
    body: dict[str, Any] = {
        "displayName": spec.name,
        "labels": dict(spec.labels) | {TOKEN_LABEL: spec.token},
        "model": spec.model,
        "inputConfig": {"instancesFormat": _FORMATS[spec.format], "gcsSource": {"uris": list(spec.inputs)}},
        "outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": spec.output}},
        "dedicatedResources": resources,
    }
    if spec.batch_size is not None:
        body["manualBatchTuningParameters"] = {"batchSize": spec.batch_size}
    return Call(f"{_JOBS}.create", {"parent": parent(project, region)}, body)


def read_jobs(body: Mapping[str, Any], target: Target) -> tuple[list[JobSnapshot], str | None]:
    """A page of batch jobs and the token of the next page."""
    return [read_job(job, target) for job in body.get("batchPredictionJobs", [])], next_page(body)


def read_job(body: Mapping[str, Any], target: Target) -> JobSnapshot:
    """What the platform says of one batch job; its folder is where the results are."""
    error = body.get("error")
    state = STATES.get(body.get("state", ""), JobState.QUEUED)
    resources = body.get("dedicatedResources") or {}
    machine = read_machine(resources.get("machineSpec") or {})
    return JobSnapshot(
        id=body["name"].rpartition("/")[2],
        resource_name=body["name"],
        name=body.get("displayName", ""),
        state=state,
        target=target,
        folder=str((body.get("outputInfo") or {}).get("gcsOutputDirectory", "")).rstrip("/"),
        created=seconds(body.get("createTime")) or 0.0,
        started=seconds(body.get("startTime")),
        ended=seconds(body.get("endTime")),
        failure=JobFailure(error.get("message", "")) if error and state is JobState.FAILED else None,
        machine=machine_title(machine) if machine else "",
        machines=((machine, int(resources.get("startingReplicaCount") or 1)),) if machine else (),
        labels=body.get("labels", {}),
        kind=JobKind.BATCH,
    )
