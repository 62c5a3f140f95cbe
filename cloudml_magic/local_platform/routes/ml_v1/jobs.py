"""The older API's jobs: training and batch prediction."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.artifacts import is_trusted
from cloudml_magic.local_platform.errors import PlatformError, refused
from cloudml_magic.local_platform.jobs.batch import state_folder
from cloudml_magic.local_platform.resources.ml_jobs import MlJobs, StoredMlJob, failure_of
from cloudml_magic.local_platform.resources.ml_versions import etag_in_bytes
from cloudml_magic.local_platform.routes.call import Call, Handler, methods
from cloudml_magic.local_platform.routes.fields import check_etag
from cloudml_magic.local_platform.routes.jobs import Runner
from cloudml_magic.local_platform.routes.ml_v1.changes import changed
from cloudml_magic.local_platform.routes.ml_v1.pages import ml_page
from cloudml_magic.local_platform.routes.ml_v1.prediction_input import BatchQuestions, batch_job
from cloudml_magic.local_platform.routes.ml_v1.refusals import check_ml_labels, check_name
from cloudml_magic.local_platform.routes.ml_v1.training_input import check_training_input, custom_job
from cloudml_magic.local_platform.times import written_in_seconds
from cloudml_magic.local_platform.wire import Response, json_response
from cloudml_magic.records import JobKind
from cloudml_magic.serving.batch.standing import standing
from cloudml_magic.states import JobState

_OUTPUT = frozenset({"createTime", "startTime", "endTime", "state", "errorMessage", "trainingOutput",
                     "predictionOutput", "jobPosition", "etag"})  # fmt: skip
_FIELDS = frozenset({"jobId", "state", "labels", "createTime", "startTime", "endTime", "errorMessage"})


class MlJobRoutes:
    """Handlers of `ml.projects.jobs.*`."""

    def __init__(self, jobs: MlJobs, runner: Runner, questions: BatchQuestions, folder: Path) -> None:
        self._jobs = jobs
        self._runner = runner
        self._questions = questions
        self._folder = folder

    def handlers(self) -> Mapping[str, Handler]:
        return methods(
            "ml.projects.jobs", create=self.create, get=self.get, list=self.list, cancel=self.cancel, patch=self.patch
        )

    def create(self, call: Call) -> Response:
        submitted = {name: value for name, value in call.body.items() if name not in _OUTPUT}
        id = submitted.get("jobId", "")
        check_name(id, "job_id")
        check_ml_labels(submitted, "job")
        inputs = [name for name in ("trainingInput", "predictionInput") if name in submitted]
        if len(inputs) != 1:
            raise refused(400, "job", "Exactly one of training_input and prediction_input must be set.")
        if self._jobs.find(id) is not None:
            raise _taken()
        kept = self._trained(submitted) if inputs == ["trainingInput"] else self._predicted(submitted)
        if kept is None:
            raise _taken()
        self._runner.submit(id)
        return json_response(self._body(kept))

    def get(self, call: Call) -> Response:
        return json_response(self._body(self._job(call)))

    def list(self, call: Call) -> Response:
        return ml_page(
            call, "jobs", self._jobs.all(), sequence=lambda each: each.job.sequence, body=self._body, fields=_FIELDS
        )

    def cancel(self, call: Call) -> Response:
        job = self._job(call).job
        if job.state.is_final:
            raise PlatformError(
                400, "Cannot cancel an already completed job.", status="FAILED_PRECONDITION"
            )  # fmt: skip
        self._runner.cancel(job.id)
        return json_response({})

    def patch(self, call: Call) -> Response:
        with self._jobs.database.transaction():
            before = self._job(call)
            check_etag(call.body.get("etag"), etag_in_bytes(before.submitted))
            sent = {"labels": call.body.get("labels")}
            submitted = changed(before.submitted, sent, call.query.get("updateMask", ""), ("labels", "etag"))
            check_ml_labels(submitted, "job")
            self._jobs.change(before.job.id, submitted)
        return json_response(self._body(self._job(call)))

    def _trained(self, submitted: Mapping[str, Any]) -> StoredMlJob | None:
        given = submitted["trainingInput"]
        check_training_input(given)
        body = custom_job(submitted["jobId"], given)
        self._runner.check(body)
        return self._jobs.create(submitted, body, JobKind.TRAINING)

    def _predicted(self, submitted: Mapping[str, Any]) -> StoredMlJob | None:
        given = submitted["predictionInput"]
        model = self._questions.model(given, trusted=is_trusted(submitted))
        return self._jobs.create(submitted, batch_job(submitted["jobId"], given), JobKind.BATCH, model)

    def _job(self, call: Call) -> StoredMlJob:
        found = self._jobs.find(call.path["jobsId"])
        if found is None:
            raise refused(404, "name", "The specified job was not found.")
        return found

    def _body(self, found: StoredMlJob) -> dict[str, Any]:
        job = found.job
        body = {
            **found.submitted,
            "createTime": written_in_seconds(job.created),
            "state": str(job.state),
            "etag": etag_in_bytes(found.submitted),
            **self._output(found),
        }
        position = self._runner.position(job.id) if job.state is JobState.QUEUED else None
        if position:
            body["jobPosition"] = str(position)
        if job.started is not None:
            body["startTime"] = written_in_seconds(job.started)
        if job.ended is not None:
            body["endTime"] = written_in_seconds(job.ended)
        if message := failure_of(job):
            body["errorMessage"] = message
        return body

    def _output(self, found: StoredMlJob) -> dict[str, Any]:
        job = found.job
        if job.kind is JobKind.TRAINING:
            return {"trainingOutput": {}}
        output: dict[str, Any] = {"outputPath": found.submitted["predictionInput"]["outputPath"]}
        now = standing(state_folder(self._folder, job.id))
        if now is not None and job.started is not None:
            hours = ((job.ended or time.time()) - job.started) / 3600
            output |= {"predictionCount": str(now.succeeded), "errorCount": str(now.failed)}
            output["nodeHours"] = round(hours, 6)
        return {"predictionOutput": output}


def _taken() -> PlatformError:
    return refused(409, "job.job_id", "A job with this id already exists.")
