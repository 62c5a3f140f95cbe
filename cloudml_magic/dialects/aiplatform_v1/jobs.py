"""Custom jobs of Vertex AI: records to calls and answers to records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cloudml_magic.dialects.aiplatform_v1.resources import TOKEN_LABEL, JobCalls, next_page, parent, seconds
from cloudml_magic.dialects.call import Call
from cloudml_magic.dialects.machines import machine_spec, machine_title, read_machine
from cloudml_magic.dialects.shortages import failure_advice
from cloudml_magic.records import JobFailure, JobSnapshot, JobSpec, Machine, Target
from cloudml_magic.states import JobState

_JOBS = "aiplatform.projects.locations.customJobs"
_CALLS = JobCalls(_JOBS)
get_job, list_jobs, cancel_job, delete_job = _CALLS.get, _CALLS.list, _CALLS.cancel, _CALLS.delete
resource_name = _CALLS.resource_name
_MASK = "***"
_PACKAGE_IMAGE = re.compile(r"(^|/)(vertex-ai|cloud-aiplatform)/training/")
PACKAGE_VARIABLE = "CLOUDML_PACKAGE"
STATES = {
    "JOB_STATE_QUEUED": JobState.QUEUED,
    "JOB_STATE_PENDING": JobState.PREPARING,
    "JOB_STATE_RUNNING": JobState.RUNNING,
    "JOB_STATE_UPDATING": JobState.RUNNING,
    "JOB_STATE_PAUSED": JobState.QUEUED,
    "JOB_STATE_SUCCEEDED": JobState.SUCCEEDED,
    "JOB_STATE_PARTIALLY_SUCCEEDED": JobState.SUCCEEDED,
    "JOB_STATE_FAILED": JobState.FAILED,
    "JOB_STATE_EXPIRED": JobState.FAILED,
    "JOB_STATE_CANCELLING": JobState.CANCELLING,
    "JOB_STATE_CANCELLED": JobState.CANCELLED,
}


def create_job(spec: JobSpec, project: str, region: str) -> Call:
    """The submission; its token travels as a label, so that a lost answer can be looked for."""
    machine = machine_spec(spec.machine)
    scheduling = _scheduling(spec)
    job: dict[str, Any] = {
        "workerPoolSpecs": [{"machineSpec": machine, "replicaCount": "1", **_task(spec)}],
        "baseOutputDirectory": {"outputUriPrefix": spec.folder},
    }
    if scheduling:
        job["scheduling"] = scheduling
    body = {"displayName": spec.name, "labels": dict(spec.labels) | {TOKEN_LABEL: spec.token}, "jobSpec": job}
    return Call(f"{_JOBS}.create", {"parent": parent(project, region)}, body)


def _task(spec: JobSpec) -> dict[str, Any]:
    """What each machine runs: a container with our command, or for Google's training images a Python package."""
    if _PACKAGE_IMAGE.search(spec.image):
        # Google installs the package itself, unchecked; the runtime compares it before it runs the cell.
        checked = (*spec.environment, (PACKAGE_VARIABLE, f"{spec.package_sha256} {spec.package_uri}"))
        package: dict[str, Any] = {
            "executorImageUri": spec.image,
            "packageUris": [spec.package_uri],
            "pythonModule": spec.module,
            "args": list(spec.arguments),
            "env": _variables(checked),
        }
        return {"pythonPackageSpec": package}
    container: dict[str, Any] = {
        "imageUri": spec.image,
        "command": list(spec.command),
        "args": [spec.package_uri, spec.package_sha256, spec.module, *spec.arguments],
    }
    if spec.environment:
        container["env"] = _variables(spec.environment)
    return {"containerSpec": container}


def _variables(environment: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in environment]


def _scheduling(spec: JobSpec) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if spec.timeout_seconds is not None:
        found["timeout"] = f"{spec.timeout_seconds}s"
    if spec.machine.restarts:
        found["strategy"] = "FLEX_START" if spec.machine.flexible else "SPOT"
        found["restartJobOnWorkerRestart"] = True
    if spec.machine.flexible and spec.max_wait_seconds is not None:
        found["maxWaitDuration"] = f"{spec.max_wait_seconds}s"
    return found


def read_jobs(body: Mapping[str, Any], target: Target) -> tuple[list[JobSnapshot], str | None]:
    """A page of jobs and the token of the next page."""
    return [read_job(job, target) for job in body.get("customJobs", [])], next_page(body)


def read_job(body: Mapping[str, Any], target: Target) -> JobSnapshot:
    """What the platform says of one job."""
    resource_name = body["name"]
    error = body.get("error")
    specification = body.get("jobSpec", {})
    machines = _machines(specification)
    state = STATES.get(body.get("state", ""), JobState.QUEUED)
    return JobSnapshot(
        id=resource_name.rpartition("/")[2],
        resource_name=resource_name,
        name=body.get("displayName", ""),
        state=state,
        target=target,
        folder=specification.get("baseOutputDirectory", {}).get("outputUriPrefix", "").rstrip("/"),
        created=seconds(body.get("createTime")) or 0.0,
        started=seconds(body.get("startTime")),
        ended=seconds(body.get("endTime")),
        failure=_failure(error.get("message", ""), machines) if error and state is JobState.FAILED else None,
        machine=machine_title(machines[0][0]) if machines else "",
        machines=machines,
        labels=body.get("labels", {}),
    )


def masked(call: Call, secrets: frozenset[str]) -> Call:
    """The same call for people to read: the values of secret variables are not in it."""
    return Call(call.method, call.parameters, _masked(call.body, secrets)) if call.body else call


def _masked(value: Any, secrets: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        if value.get("name") in secrets and "value" in value:
            return dict(value) | {"value": _MASK}
        return {key: _masked(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, secrets) for item in value]
    return value


def _failure(message: str, machines: Sequence[tuple[Machine, int]]) -> JobFailure:
    return JobFailure(message, next=failure_advice(message, machines))


def _machines(specification: Mapping[str, Any]) -> tuple[tuple[Machine, int], ...]:
    pools = [
        (read_machine(pool.get("machineSpec") or {}, specification.get("scheduling") or {}), pool.get("replicaCount"))
        for pool in specification.get("workerPoolSpecs") or ()
    ]
    return tuple((machine, int(count or 1)) for machine, count in pools if machine is not None)
