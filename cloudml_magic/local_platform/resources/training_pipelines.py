"""Training pipelines as rows: each is a custom job, and behind it a model that is uploaded when the job has succeeded.

How a pipeline stands follows from its job until its outcome is written down.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloudml_magic.local_platform.database import Database
from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.resources.jobs import StoredJob
from cloudml_magic.local_platform.resources.names import new_id, resource_name
from cloudml_magic.local_platform.times import written
from cloudml_magic.states import JobState

COLLECTION = "trainingPipelines"
_PENDING, _RUNNING = "PIPELINE_STATE_PENDING", "PIPELINE_STATE_RUNNING"
WIRE_STATES = {
    JobState.QUEUED: _PENDING,
    JobState.PREPARING: _PENDING,
    JobState.RUNNING: _RUNNING,
    JobState.SUCCEEDED: "PIPELINE_STATE_SUCCEEDED",
    JobState.FAILED: "PIPELINE_STATE_FAILED",
    JobState.CANCELLING: "PIPELINE_STATE_CANCELLING",
    JobState.CANCELLED: "PIPELINE_STATE_CANCELLED",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a pipeline ended: with a model's name and version, with an error, or with neither."""

    state: JobState
    ended: float
    error: tuple[int, str] | None = None
    model: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class StoredPipeline:
    """One pipeline as the platform keeps it; `model` is the id of its model to be, and whether it is a new one."""

    id: str
    sequence: int
    location: str
    body: Mapping[str, Any]
    job: str
    model: tuple[str, bool] | None
    created: float
    outcome: Outcome | None

    @property
    def resource_name(self) -> str:
        return resource_name(self.location, COLLECTION, self.id)


class TrainingPipelines:
    """All training pipelines of one platform; any thread may call."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, location: str, body: Mapping[str, Any], job: str, model: tuple[str, bool] | None) -> StoredPipeline:
        """Keeps a new pipeline; called in the transaction that keeps its job."""
        id = new_id()
        self.database.write(
            "INSERT INTO training_pipelines (id, location, body, job, model, created) VALUES (?,?,?,?,?,?)",
            id, location, json.dumps(body), job, None if model is None else json.dumps(model), time.time(),
        )  # fmt: skip
        return self.get(location, id)

    def get(self, location: str, id: str) -> StoredPipeline:
        """A pipeline by its id; raises 404."""
        row = self.database.row("SELECT * FROM training_pipelines WHERE location = ? AND id = ?", location, id)
        if row is None:
            name = resource_name(location, COLLECTION, id[:80])
            raise PlatformError(404, f"The TrainingPipeline {name} does not exist.")
        return _pipeline(row)

    def of_location(self, location: str) -> list[StoredPipeline]:
        """The pipelines of a location, the latest first; `-` stands for every location."""
        rows = self.database.rows(
            "SELECT * FROM training_pipelines WHERE ?1 = '-' OR location = ?1 ORDER BY sequence DESC", location
        )
        return [_pipeline(row) for row in rows]

    def unfinished(self) -> list[StoredPipeline]:
        """Those that have no outcome yet, oldest first."""
        rows = self.database.rows("SELECT * FROM training_pipelines WHERE outcome IS NULL ORDER BY sequence")
        return [_pipeline(row) for row in rows]

    def finish(self, id: str, outcome: Outcome) -> None:
        """Writes the outcome down; the first one stays."""
        document = {"state": outcome.state, "ended": outcome.ended, "error": outcome.error, "model": outcome.model}
        self.database.write(
            "UPDATE training_pipelines SET outcome = ? WHERE id = ? AND outcome IS NULL", json.dumps(document), id
        )

    def delete(self, pipeline: StoredPipeline) -> None:
        self.database.write("DELETE FROM training_pipelines WHERE id = ?", pipeline.id)


def pipeline_body(pipeline: StoredPipeline, job: StoredJob | None) -> dict[str, Any]:
    """The resource of a pipeline; its job may be gone when the pipeline has ended."""
    body = {
        **pipeline.body,
        "name": pipeline.resource_name,
        "state": _state(pipeline, job),
        "createTime": written(pipeline.created),
        "updateTime": written(_updated(pipeline, job)),
        "trainingTaskMetadata": {"backingCustomJob": resource_name(pipeline.location, "customJobs", pipeline.job)},
    }
    if job is not None and job.started is not None:
        body["startTime"] = written(job.started)
    outcome = pipeline.outcome
    if outcome is not None:
        body["endTime"] = written(outcome.ended)
        if outcome.error is not None:
            body["error"] = {"code": outcome.error[0], "message": outcome.error[1]}
        if outcome.model is not None:
            name, version = outcome.model
            body["modelToUpload"] = {**body["modelToUpload"], "name": name, "versionId": version}
    return body


def _state(pipeline: StoredPipeline, job: StoredJob | None) -> str:
    if pipeline.outcome is not None:
        return WIRE_STATES[pipeline.outcome.state]
    if job is None or job.state.is_final:
        # The job has ended; what follows from that is being done.
        return _RUNNING
    return WIRE_STATES[job.state]


def _updated(pipeline: StoredPipeline, job: StoredJob | None) -> float:
    if pipeline.outcome is not None:
        return pipeline.outcome.ended
    return pipeline.created if job is None else max(pipeline.created, job.updated)


def _pipeline(row: Any) -> StoredPipeline:
    model = json.loads(row["model"]) if row["model"] else None
    return StoredPipeline(
        id=row["id"],
        sequence=row["sequence"],
        location=row["location"],
        body=json.loads(row["body"]),
        job=row["job"],
        model=None if model is None else (model[0], model[1]),
        created=row["created"],
        outcome=_outcome(row["outcome"]),
    )


def _outcome(text: str | None) -> Outcome | None:
    if text is None:
        return None
    known = json.loads(text)
    error, model = known["error"], known["model"]
    return Outcome(
        JobState(known["state"]),
        known["ended"],
        None if error is None else (error[0], error[1]),
        None if model is None else (model[0], model[1]),
    )
