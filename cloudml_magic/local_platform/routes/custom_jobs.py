"""Vertex AI: custom jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudml_magic.local_platform.resources.jobs import StoredJob, server_fields
from cloudml_magic.local_platform.routes.call import Call
from cloudml_magic.local_platform.routes.fields import Violations, check_display_name, check_labels, refuse
from cloudml_magic.local_platform.routes.jobs import OUTPUT, JobRoutes, Runner
from cloudml_magic.local_platform.secrets_masked import masked
from cloudml_magic.local_platform.wire import Response
from cloudml_magic.records import JobKind

_OUTPUT = OUTPUT | {"webAccessUris"}


class CustomJobRoutes(JobRoutes):
    """Handlers of `aiplatform.projects.locations.customJobs.*`."""

    kind = JobKind.TRAINING

    def create(self, call: Call) -> Response:
        body = accepted_job(call.body, self._runner)
        return self._kept(*self._resources.create_job(call.path["locationsId"], body))

    def body(self, job: StoredJob) -> dict[str, Any]:
        """With secrets masked."""
        return {**masked(job.body), **server_fields(job)}


def accepted_job(sent: Mapping[str, Any], runner: Runner) -> dict[str, Any]:
    """A custom job as it is kept; raises PlatformError for one that is incomplete or could never run here."""
    body = {name: value for name, value in sent.items() if name not in _OUTPUT}
    _check_job(body)
    runner.check(body)
    return _with_defaults(body)


def _check_job(body: Mapping[str, Any]) -> None:
    """What Vertex requires beyond what the schema says; reviewed by hand from the field's descriptions."""
    found: Violations = []

    def require(holder: Mapping[str, Any], field: str, where: str) -> None:
        if not holder.get(field):
            found.append((where, "Required field is not set."))

    check_display_name(body, "custom_job", found)
    check_labels(body, "custom_job", found)
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
    refuse(found)


def _check_pool(pool: Mapping[str, Any], where: str, require: Any, found: Violations) -> None:
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
