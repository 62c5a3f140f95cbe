"""Ends training pipelines: each when its job has ended, and one with a model when that is taken in."""

from __future__ import annotations

import logging
import threading
import time

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.operations.models import ModelWork
from cloudml_magic.local_platform.operations.worker import code_of
from cloudml_magic.local_platform.resources.jobs import JobResources, StoredJob
from cloudml_magic.local_platform.resources.models import ModelResources
from cloudml_magic.local_platform.resources.training_pipelines import Outcome, StoredPipeline, TrainingPipelines
from cloudml_magic.local_platform.trouble import translated
from cloudml_magic.states import JobState

_RETRY_SECONDS = 1.0

_log = logging.getLogger("cloudml_magic.local_platform")


class PipelineFollower:
    """One thread that looks at unfinished pipelines whenever a job has moved.

    It keeps nothing in memory, so a platform that takes up after another one needs no more than to look again.
    """

    def __init__(
        self, pipelines: TrainingPipelines, jobs: JobResources, models: ModelResources, model_work: ModelWork
    ) -> None:
        self._pipelines = pipelines
        self._jobs = jobs
        self._models = models
        self._model_work = model_work
        self._moved = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._follow, name="pipelines", daemon=True)
        jobs.listen(self._moved.set)

    def start(self) -> None:
        """Looks at what an earlier platform left, then at what happens."""
        self._moved.set()
        self._thread.start()

    def close(self) -> None:
        """Stops looking; the next platform goes on."""
        self._closing = True
        self._moved.set()
        if self._thread.is_alive():
            self._thread.join()

    def _follow(self) -> None:
        wait: float | None = None
        while not self._closing:
            self._moved.wait(wait)
            self._moved.clear()
            wait = None
            try:
                for pipeline in self._pipelines.unfinished():
                    self._advance(pipeline)
            except Exception:
                # Most often a store that cannot be written now: it is looked at again.
                _log.exception("a training pipeline cannot be brought up to its job yet")
                wait = _RETRY_SECONDS

    def _advance(self, pipeline: StoredPipeline) -> None:
        job = self._jobs.job(pipeline.job)
        if job is None:
            self._fail(pipeline, PlatformError(404, "The pipeline's custom job was deleted before its end was seen."))
        elif job.state is JobState.SUCCEEDED and pipeline.model is not None:
            self._upload(pipeline, job, pipeline.model)
        elif job.state.is_final:
            self._pipelines.finish(pipeline.id, Outcome(job.state, job.ended or job.updated, job.error))

    def _upload(self, pipeline: StoredPipeline, job: StoredJob, target: tuple[str, bool]) -> None:
        id, is_new = target
        body = _trained_model(pipeline, job)
        try:
            pinned = self._model_work.examined(pipeline.location, id, body)
        except Exception as problem:
            self._fail(pipeline, translated(problem))
            return
        try:
            with self._pipelines.database.transaction():
                version = self._models.add(pipeline.location, id, body, pinned, is_new=is_new)
                outcome = Outcome(JobState.SUCCEEDED, time.time(), model=(version.model_name, str(version.version)))
                self._pipelines.finish(pipeline.id, outcome)
        except PlatformError as problem:
            self._fail(pipeline, problem)

    def _fail(self, pipeline: StoredPipeline, problem: PlatformError) -> None:
        error = (code_of(problem), problem.message)
        self._pipelines.finish(pipeline.id, Outcome(JobState.FAILED, time.time(), error))


def _trained_model(pipeline: StoredPipeline, job: StoredJob) -> dict[str, object]:
    """The model to upload; unless it says where its files are, they are where Vertex tells a job to put them."""
    sent = pipeline.body["modelToUpload"]
    output = job.body["jobSpec"].get("baseOutputDirectory", {}).get("outputUriPrefix", "")
    found = {"artifactUri": f"{output.rstrip('/')}/model", **sent}
    return {**found, "trainingPipeline": pipeline.resource_name}
