"""Jobs of the old API: trainings and batch predictions are of one kind there, told apart by their input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloudml_magic.dialects.call import Call
from cloudml_magic.dialects.machines import machine_spec
from cloudml_magic.dialects.ml_v1.models import version_name
from cloudml_magic.dialects.ml_v1.names import letters, parent, seconds
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import BatchSpec, JobFailure, JobKind, JobSnapshot, JobSpec, Target
from cloudml_magic.states import JobState

_JOBS = "ml.projects.jobs"
_PAGE_SIZE = 100
_NAME_LABEL, _TOKEN_LABEL = "cloudml-name", "cloudml-token"
_INPUTS = {JobKind.TRAINING: "trainingInput", JobKind.BATCH: "predictionInput"}
# What Vertex AI tells every job, and this API none.
_FOLDERS = {"AIP_MODEL_DIR": "model", "AIP_CHECKPOINT_DIR": "checkpoints", "AIP_TENSORBOARD_LOG_DIR": "logs"}
_FORMATS = {"jsonl": "JSON", "tfrecord": "TF_RECORD"}
_ACTIVE = " OR ".join(f"state:{state}" for state in ("QUEUED", "PREPARING", "RUNNING", "CANCELLING"))


def create_job(spec: JobSpec, project: str, region: str) -> Call:
    """A training in a container; what Vertex hands over as variables stands before its command."""
    if "CLOUDML_SECRETS" in dict(spec.environment):
        raise CloudMLError(
            "old-api-without-secrets",
            "The old API cannot hand over an environment variable without showing it to all who see the job.",
            next="Say `%ml_init --dialect aiplatform-v1`, or leave --env out.",
        )
    if spec.machine.restarts:
        raise CloudMLError(
            "old-api-without-spot",
            "The old API has no machines that are cheaper or waited for.",
            next="Say `%ml_init --dialect aiplatform-v1`, or leave --spot and --flex-start out.",
        )
    machine = machine_spec(spec.machine)
    # `$$` stood for itself in the value of a variable; here the value is an argument.
    variables = [f"{name}={value.replace('$$(', '$(')}" for name, value in spec.environment]
    variables += [f"{name}={spec.folder}/{folder}/" for name, folder in _FOLDERS.items()]
    config: dict[str, Any] = {
        "imageUri": spec.image,
        "containerCommand": ["env", *variables, *spec.command],
        "containerArgs": [spec.package_uri, spec.package_sha256, spec.module, *spec.arguments],
    }
    if "acceleratorType" in machine:
        config["acceleratorConfig"] = {"type": machine["acceleratorType"], "count": str(machine["acceleratorCount"])}
    training: dict[str, Any] = {
        "scaleTier": "CUSTOM",
        "masterType": machine["machineType"],
        "masterConfig": config,
        "region": region,
        "jobDir": spec.folder,
    }
    if spec.timeout_seconds is not None:
        training["scheduling"] = {"maxRunningTime": f"{spec.timeout_seconds}s"}
    return _create(spec.name, spec.token, spec.labels, {"trainingInput": training}, parent(project, region))


def create_batch_job(spec: BatchSpec, project: str, region: str) -> Call:
    """A batch prediction by a model or a version."""
    if spec.format not in _FORMATS:
        raise CloudMLError(
            "old-api-format",
            f"The old API predicts no batches of {spec.format}.",
            next="Give JSON lines or TFRecords, or say `%ml_init --dialect aiplatform-v1`.",
        )
    prediction: dict[str, Any] = {
        "dataFormat": _FORMATS[spec.format],
        "inputPaths": list(spec.inputs),
        "outputPath": spec.output,
        "region": region,
        "versionName" if "@" in spec.model else "modelName": version_name(spec.model),
    }
    if spec.batch_size is not None:
        prediction["batchSize"] = str(spec.batch_size)
    if spec.workers is not None:
        prediction["maxWorkerCount"] = str(spec.workers)
    return _create(spec.name, spec.token, spec.labels, {"predictionInput": prediction}, parent(project, region))


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs of one kind in a project; the API lists both together, and a job does not say its project."""

    kind: JobKind
    project: str

    def resource_name(self, project: str, region: str, job_id: str) -> str:
        """What the API calls the job of an id, wherever it runs."""
        return f"projects/{project}/jobs/{job_id}"

    def get_job(self, resource_name: str) -> Call:
        """Asks how one job stands."""
        return Call(f"{_JOBS}.get", {"name": resource_name})

    def list_jobs(
        self,
        project: str,
        region: str,
        *,
        token: str | None = None,
        active: bool = False,
        page_token: str | None = None,
    ) -> Call:
        """The jobs of a project, those that go on, or the one that a submission token became."""
        parameters: dict[str, str | int | list[str]] = {"parent": parent(project, region), "pageSize": _PAGE_SIZE}
        if token or active:
            # Labels cannot be asked for; a job's id ends in its token.
            parameters["filter"] = f"jobId:*_{token}" if token else _ACTIVE
        if page_token:
            parameters["pageToken"] = page_token
        return Call(f"{_JOBS}.list", parameters)

    def cancel_job(self, resource_name: str) -> Call:
        """Asks one job to stop."""
        return Call(f"{_JOBS}.cancel", {"name": resource_name}, {})

    def delete_job(self, resource_name: str) -> None:
        """Jobs of this API stay for ever."""

    def read_jobs(self, body: Mapping[str, Any], target: Target) -> tuple[list[JobSnapshot], str | None]:
        """The jobs of this kind on a page, and the token of the next page."""
        found = [self.read_job(job, target) for job in body.get("jobs", []) if _INPUTS[self.kind] in job]
        return found, body.get("nextPageToken") or None

    def read_job(self, body: Mapping[str, Any], target: Target) -> JobSnapshot:
        """What the platform says of one job."""
        kind = JobKind.BATCH if "predictionInput" in body else JobKind.TRAINING
        given = body.get(_INPUTS[kind]) or {}
        labels, state = body.get("labels", {}), _state(body.get("state", ""))
        return JobSnapshot(
            id=body["jobId"],
            resource_name=self.resource_name(self.project, "", body["jobId"]),
            name=labels.get(_NAME_LABEL) or body["jobId"],
            state=state,
            target=target,
            folder=str(given.get("jobDir") or given.get("outputPath") or "").rstrip("/"),
            created=seconds(body.get("createTime")) or 0.0,
            started=seconds(body.get("startTime")),
            ended=seconds(body.get("endTime")),
            failure=JobFailure(body.get("errorMessage", "")) if state is JobState.FAILED else None,
            position=int(body["jobPosition"]) if body.get("jobPosition") else None,
            machine=_machine(given),
            labels=labels,
            kind=kind,
        )


def _create(name: str, token: str, labels: Any, work: Mapping[str, Any], where: str) -> Call:
    body = {
        # An id is taken for ever: a submission that arrived is not accepted twice.
        "jobId": f"{letters(name)}_{token}",
        "labels": dict(labels) | {_TOKEN_LABEL: token},
        **work,
    }
    return Call(f"{_JOBS}.create", {"parent": where}, body)


def _state(text: str) -> JobState:
    try:
        return JobState(text)
    except ValueError:
        return JobState.QUEUED


def _machine(given: Mapping[str, Any]) -> str:
    config = given.get("masterConfig") or {}
    accelerator = config.get("acceleratorConfig") or {}
    words = (
        [f"{accelerator.get('count', 1)} × {str(accelerator['type']).removeprefix('NVIDIA_TESLA_')}"]
        if (accelerator.get("type"))
        else []
    )
    return " · ".join([*words, str(given.get("masterType") or given.get("scaleTier") or "")]).strip(" ·")
