"""Vertex AI: training pipelines of custom jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudml_magic.discovery import BodyError, Document, normalise
from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.resources.jobs import TOKEN_LABEL, JobResources
from cloudml_magic.local_platform.resources.models import ModelResources
from cloudml_magic.local_platform.resources.operations import Operations, typed
from cloudml_magic.local_platform.resources.training_pipelines import (
    COLLECTION,
    StoredPipeline,
    TrainingPipelines,
    pipeline_body,
)
from cloudml_magic.local_platform.routes import model_checks
from cloudml_magic.local_platform.routes.call import Call, Handler, methods
from cloudml_magic.local_platform.routes.custom_jobs import accepted_job
from cloudml_magic.local_platform.routes.fields import Violations, check_display_name, check_labels, refuse
from cloudml_magic.local_platform.routes.jobs import FIELDS, OUTPUT, Runner
from cloudml_magic.local_platform.routes.pages import page
from cloudml_magic.local_platform.wire import Response, json_response

CUSTOM_TASK = "gs://google-cloud-aiplatform/schema/trainingjob/definition/custom_task_1.0.0.yaml"
_OUTPUT = OUTPUT | {"trainingTaskMetadata"}
_FIELDS = FIELDS | {"trainingTaskDefinition"}


class TrainingPipelineRoutes:
    """Handlers of `aiplatform.projects.locations.trainingPipelines.*`."""

    def __init__(
        self,
        api: Document,
        pipelines: TrainingPipelines,
        jobs: JobResources,
        runner: Runner,
        models: ModelResources,
        operations: Operations,
    ) -> None:
        self._api = api
        self._pipelines = pipelines
        self._jobs = jobs
        self._runner = runner
        self._models = models
        self._operations = operations

    def handlers(self) -> Mapping[str, Handler]:
        return methods(
            f"aiplatform.projects.locations.{COLLECTION}",
            create=self.create,
            get=self.get,
            list=self.list,
            cancel=self.cancel,
            delete=self.delete,
        )

    def create(self, call: Call) -> Response:
        location = call.path["locationsId"]
        body = _without_output(call.body)
        _check_fields(body)
        _check_emulated(body)
        job_body = accepted_job(self._job(body), self._runner)
        model = self._model(location, body, job_body)
        with self._pipelines.database.transaction():
            job, _ = self._jobs.create_job(location, job_body)
            pipeline = self._pipelines.add(location, body, job.id, model)
        self._runner.submit(job.id)
        return json_response(self._body(pipeline))

    def get(self, call: Call) -> Response:
        return json_response(self._body(self._pipeline(call)))

    def list(self, call: Call) -> Response:
        found = self._pipelines.of_location(call.path["locationsId"])
        return page(call, COLLECTION, found, body=self._body, fields=_FIELDS)

    def cancel(self, call: Call) -> Response:
        pipeline = self._pipeline(call)
        if pipeline.outcome is not None:
            raise _wrong_state(pipeline, self._body(pipeline)["state"], "it cannot be cancelled")
        # A job that has ended already stays as it is, and the model that it left is still taken in.
        self._runner.cancel(pipeline.job)
        return json_response({})

    def delete(self, call: Call) -> Response:
        pipeline = self._pipeline(call)
        if pipeline.outcome is None:
            raise _wrong_state(pipeline, self._body(pipeline)["state"], "cancel it before deleting it")
        with self._pipelines.database.transaction():
            self._pipelines.delete(pipeline)
            metadata = typed("DeleteOperationMetadata", {})
            return json_response(
                self._operations.record_done(pipeline.location, f"{COLLECTION}/{pipeline.id}", metadata)
            )

    def _job(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The custom job behind a pipeline; its inputs come as clients write them, not in the schema's form."""
        try:
            specification = normalise(self._api, "GoogleCloudAiplatformV1CustomJobSpec", body["trainingTaskInputs"])
        except BodyError as problem:
            where = "training_pipeline.training_task_inputs"
            details = [(f"{where}.{each.field}".rstrip("."), each.description) for each in problem.violations]
            raise PlatformError(400, str(problem), violations=details) from None
        # The token stands for one submission, which is the pipeline.
        labels = {name: value for name, value in body.get("labels", {}).items() if name != TOKEN_LABEL}
        name = f"{body['displayName'][:117]}-custom-job"
        return {"displayName": name, "jobSpec": specification, **({"labels": labels} if labels else {})}

    def _model(self, location: str, body: Mapping[str, Any], job: Mapping[str, Any]) -> tuple[str, bool] | None:
        model = body.get("modelToUpload")
        if model is None:
            return None
        where = "training_pipeline.model_to_upload"
        has_output = "baseOutputDirectory" in job["jobSpec"]
        model_checks.check_model(model, where, has_files=not has_output)
        return model_checks.upload_target(self._models, location, body)

    def _pipeline(self, call: Call) -> StoredPipeline:
        return self._pipelines.get(call.path["locationsId"], call.path["trainingPipelinesId"])

    def _body(self, pipeline: StoredPipeline) -> dict[str, Any]:
        return pipeline_body(pipeline, self._jobs.job(pipeline.job))


def _without_output(sent: Mapping[str, Any]) -> dict[str, Any]:
    """What a client says of a pipeline, without what only a server says."""
    body = {name: value for name, value in sent.items() if name not in _OUTPUT}
    if "modelToUpload" in body:
        model = body["modelToUpload"].items()
        body["modelToUpload"] = {name: value for name, value in model if name not in model_checks.OUTPUT}
    return body


def _check_fields(body: Mapping[str, Any]) -> None:
    found: Violations = []
    check_display_name(body, "training_pipeline", found)
    check_labels(body, "training_pipeline", found)
    for field, name in (
        ("trainingTaskDefinition", "training_task_definition"),
        ("trainingTaskInputs", "training_task_inputs"),
    ):
        if not body.get(field):
            found.append((f"training_pipeline.{name}", "Required field is not set."))
    refuse(found)


def _check_emulated(body: Mapping[str, Any]) -> None:
    """Refuses what Vertex AI trains and this platform does not."""
    if body["trainingTaskDefinition"] != CUSTOM_TASK:
        raise PlatformError(
            501,
            f"The local platform does not emulate the training task {body['trainingTaskDefinition'][:200]}: its"
            f" pipelines run custom jobs only ({CUSTOM_TASK}).",
        )
    if body.get("inputDataConfig"):
        raise PlatformError(
            501,
            "The local platform does not emulate managed datasets (input_data_config): let the job read its data from a"
            " bucket.",
        )


def _wrong_state(pipeline: StoredPipeline, state: str, what: str) -> PlatformError:
    return PlatformError(
        400, f"TrainingPipeline {pipeline.resource_name} is in state {state}; {what}.", status="FAILED_PRECONDITION"
    )
