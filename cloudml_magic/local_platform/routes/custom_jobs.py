"""Vertex AI: custom jobs."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any, Protocol

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.filters import Subject, compiled
from cloudml_magic.local_platform.resources.jobs import WIRE_STATES, JobResources, StoredJob
from cloudml_magic.local_platform.routes.call import Call, Handler
from cloudml_magic.local_platform.secrets_masked import masked
from cloudml_magic.local_platform.times import written
from cloudml_magic.local_platform.wire import Response, json_response
from cloudml_magic.states import JobState

_LABEL = re.compile(r"[\w-]{0,64}")
_LARGEST_PAGE = 100
_OUTPUT = frozenset(
    {"name", "state", "createTime", "startTime", "endTime", "updateTime", "error", "webAccessUris"}
    | {"satisfiesPzi", "satisfiesPzs"}
)


class Runner(Protocol):
    """Whoever runs the jobs."""

    def check(self, body: Mapping[str, Any]) -> None: ...
    def submit(self, job_id: str) -> None: ...
    def cancel(self, job_id: str) -> None: ...
    def delete_files(self, job_id: str, body: Mapping[str, Any]) -> None: ...
    def position(self, job_id: str) -> int | None: ...
    def start(self) -> None: ...
    def close(self) -> None: ...


class CustomJobRoutes:
    """Handlers of `aiplatform.projects.locations.customJobs.*`."""

    def __init__(self, resources: JobResources, runner: Runner) -> None:
        self._resources = resources
        self._runner = runner

    def handlers(self) -> Mapping[str, Handler]:
        prefix = "aiplatform.projects.locations.customJobs"
        return {
            f"{prefix}.create": self.create,
            f"{prefix}.get": self.get,
            f"{prefix}.list": self.list,
            f"{prefix}.cancel": self.cancel,
            f"{prefix}.delete": self.delete,
        }

    def create(self, call: Call) -> Response:
        body = {name: value for name, value in call.body.items() if name not in _OUTPUT}
        _check_job(body)
        self._runner.check(body)
        job, new = self._resources.create_job(call.path["locationsId"], _with_defaults(body))
        if new:
            self._runner.submit(job.id)
        return json_response(custom_job_body(job))

    def get(self, call: Call) -> Response:
        return json_response(custom_job_body(self._job(call)))

    def list(self, call: Call) -> Response:
        holds = compiled(call.query.get("filter", ""))
        size = min(call.query.get("pageSize") or _LARGEST_PAGE, _LARGEST_PAGE)
        if size < 0:
            raise PlatformError(400, "page_size must not be negative.")
        before = _read_token(call.query.get("pageToken", ""))
        location = call.path["locationsId"]
        page: list[StoredJob] = []
        body: dict[str, Any] = {}
        for job in self._resources.jobs():
            if location not in ("-", job.location) or (before and job.sequence >= before):
                continue
            if not holds(_subject(job)):
                continue
            if len(page) == size:
                body["nextPageToken"] = base64.urlsafe_b64encode(str(page[-1].sequence).encode()).decode()
                break
            page.append(job)
        if page:
            body["customJobs"] = [custom_job_body(job) for job in page]
        return json_response(body)

    def cancel(self, call: Call) -> Response:
        job = self._job(call)
        if job.state in (JobState.SUCCEEDED, JobState.FAILED):
            raise PlatformError(
                400,
                f"CustomJob {job.resource_name} is in state {WIRE_STATES[job.state]} and cannot be cancelled.",
                status="FAILED_PRECONDITION",
            )
        if not job.state.is_final:
            self._runner.cancel(job.id)
        return json_response({})

    def delete(self, call: Call) -> Response:
        job = self._job(call)
        if not job.state.is_final:
            raise PlatformError(
                400,
                f"CustomJob {job.resource_name} is in state {WIRE_STATES[job.state]}; cancel it before deleting it.",
                status="FAILED_PRECONDITION",
            )
        operation = self._resources.delete_job(job)
        self._runner.delete_files(job.id, job.body)
        return json_response(operation)

    def _job(self, call: Call) -> StoredJob:
        job = self._resources.job(call.path["customJobsId"])
        if job is None or job.location != call.path["locationsId"]:
            name = "/".join(("projects", call.path["projectsId"], "locations", call.path["locationsId"]))
            raise PlatformError(
                404, f"The CustomJob {name}/customJobs/{call.path['customJobsId'][:80]} does not exist."
            )
        return job


def custom_job_body(job: StoredJob) -> dict[str, Any]:
    """The resource of a job, secrets masked."""
    body = {
        **masked(job.body),
        "name": job.resource_name,
        "state": WIRE_STATES[job.state],
        "createTime": written(job.created),
        "updateTime": written(job.updated),
    }
    if job.started is not None:
        body["startTime"] = written(job.started)
    if job.ended is not None:
        body["endTime"] = written(job.ended)
    if job.error is not None:
        body["error"] = {"code": job.error[0], "message": job.error[1]}
    return body


def _check_job(body: Mapping[str, Any]) -> None:
    """What Vertex requires beyond what the schema says; reviewed by hand from the field's descriptions."""
    found: list[tuple[str, str]] = []

    def require(holder: Mapping[str, Any], field: str, where: str) -> None:
        if not holder.get(field):
            found.append((where, "Required field is not set."))

    require(body, "displayName", "custom_job.display_name")
    if len(body.get("displayName", "")) > 128:
        found.append(("custom_job.display_name", "The display name may have at most 128 characters."))
    for key, value in body.get("labels", {}).items():
        for text in (key, value):
            if not _LABEL.fullmatch(text) or text != text.lower() or not key:
                found.append(("custom_job.labels", f"Label {text[:80]!r} is not lowercase letters, digits, _ and -."))
    specification = body.get("jobSpec", {})
    pools = specification.get("workerPoolSpecs", [])
    require(specification, "workerPoolSpecs", "custom_job.job_spec.worker_pool_specs")
    output = specification.get("baseOutputDirectory", {})
    if output and not str(output.get("outputUriPrefix", "")).startswith("gs://"):
        found.append(("custom_job.job_spec.base_output_directory", "The output URI must begin with gs://."))
    for index, pool in enumerate(pools):
        where = f"custom_job.job_spec.worker_pool_specs[{index}]"
        if not pool and index:
            continue  # Clients fill unused pools with empty ones.
        _check_pool(pool, where, require, found)
    if pools and pools[0].get("replicaCount", "1") != "1":
        found.append(("custom_job.job_spec.worker_pool_specs[0].replica_count", "The first pool has one replica."))
    if found:
        listed = "\t ".join(
            f"{number}.Field: {field}; Message: {text}" for number, (field, text) in enumerate(found, 1)
        )
        raise PlatformError(400, f"List of found errors:\t{listed}\t", violations=found)


def _check_pool(pool: Mapping[str, Any], where: str, require: Any, found: list[tuple[str, str]]) -> None:
    container, package = pool.get("containerSpec"), pool.get("pythonPackageSpec")
    if (container is None) == (package is None):
        found.append((where, "Exactly one of container_spec and python_package_spec must be set."))
    require(pool.get("machineSpec", {}), "machineType", f"{where}.machine_spec.machine_type")
    if container is not None:
        require(container, "imageUri", f"{where}.container_spec.image_uri")
    if package is not None:
        for field, name in (("executorImageUri", "executor_image_uri"), ("packageUris", "package_uris")):
            require(package, field, f"{where}.python_package_spec.{name}")
        require(package, "pythonModule", f"{where}.python_package_spec.python_module")
    for task, name in ((container or {}, "container_spec"), (package or {}, "python_package_spec")):
        if len(task.get("packageUris", [])) > 100:
            found.append((f"{where}.{name}.package_uris", "At most 100 packages are supported."))
        if len(task.get("env", [])) > 100:
            found.append((f"{where}.{name}.env", "At most 100 environment variables are supported."))
        for variable in task.get("env", []):
            require(variable, "name", f"{where}.{name}.env.name")
            if "\0" in variable.get("name", "") + variable.get("value", "") or "=" in variable.get("name", ""):
                found.append((f"{where}.{name}.env", "A variable holds a NUL, or its name an equals sign."))


def _with_defaults(body: Mapping[str, Any]) -> dict[str, Any]:
    """What Vertex adds to what it was sent."""
    pools = [
        {"replicaCount": "1", "diskSpec": {"bootDiskType": "pd-ssd", "bootDiskSizeGb": 100}, **pool} if pool else pool
        for pool in body["jobSpec"]["workerPoolSpecs"]
    ]
    return {**body, "jobSpec": {**body["jobSpec"], "workerPoolSpecs": pools}}


def _subject(job: StoredJob) -> Subject:
    body = custom_job_body(job)

    def value(field: str) -> Any:
        if field.startswith("labels."):
            return body.get("labels", {}).get(field.removeprefix("labels."))
        name = re.sub(r"_([a-z])", lambda match: match[1].upper(), field)
        if name not in ("state", "displayName", "name", "labels", "createTime", "updateTime", "startTime", "endTime"):
            raise PlatformError(400, f"Invalid filter: jobs cannot be filtered by {field[:60]!r}.")
        return body.get(name)

    return value


def _read_token(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token)[:20]) if token else 0
    except ValueError:
        raise PlatformError(400, "Invalid page token.") from None
