"""Jobs as rows: bodies as they came, plus what a server adds.

The runner reads and moves jobs through the five methods that come first; the routes read the others.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudml_magic.local_platform.database import Database
from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.resources.names import new_id, resource_name
from cloudml_magic.local_platform.resources.operations import Operations, typed
from cloudml_magic.local_platform.times import written
from cloudml_magic.records import JobKind
from cloudml_magic.states import JobState, may_follow

TOKEN_LABEL = "cloudml-token"
COLLECTIONS = {JobKind.TRAINING: "customJobs", JobKind.BATCH: "batchPredictionJobs"}
_TITLES = {JobKind.TRAINING: "CustomJob", JobKind.BATCH: "BatchPredictionJob"}
WIRE_STATES: dict[JobState, str] = {
    JobState.QUEUED: "JOB_STATE_QUEUED",
    JobState.PREPARING: "JOB_STATE_PENDING",
    JobState.RUNNING: "JOB_STATE_RUNNING",
    JobState.SUCCEEDED: "JOB_STATE_SUCCEEDED",
    JobState.FAILED: "JOB_STATE_FAILED",
    JobState.CANCELLING: "JOB_STATE_CANCELLING",
    JobState.CANCELLED: "JOB_STATE_CANCELLED",
}


@dataclass(frozen=True, slots=True)
class StoredJob:
    """One job as the platform keeps it; `body` is what was submitted, in the schema's form, secrets unmasked.

    `model` is what a batch prediction asks: the version, its folder and what its files were when it was uploaded.
    A job of the older API has no location; `resources/ml_jobs.py` keeps what was submitted, and `body` is what it runs.
    """

    id: str
    sequence: int
    location: str
    body: Mapping[str, Any]
    state: JobState
    created: float
    updated: float
    started: float | None
    ended: float | None
    note: str | None
    error: tuple[int, str] | None
    kind: JobKind = JobKind.TRAINING
    model: Mapping[str, Any] = field(default_factory=dict)

    @property
    def resource_name(self) -> str:
        return resource_name(self.location, COLLECTIONS[self.kind] if self.location else "jobs", self.id)


class IllegalTransitionError(Exception):
    """A job was asked to go where its state does not lead."""


class JobResources:
    """All jobs of one platform; any thread may call."""

    def __init__(self, database: Database, operations: Operations) -> None:
        self._database = database
        self._operations = operations
        self._listening = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    # --- what the runner uses ---

    def jobs_in(self, states: Collection[JobState]) -> list[StoredJob]:
        """Jobs in any of the states, in the order of their creation."""
        marks = ",".join("?" * len(states))
        statement = f"SELECT * FROM jobs WHERE state IN ({marks}) ORDER BY sequence"
        return [_job(row) for row in self._database.rows(statement, *states)]

    def job(self, id: str) -> StoredJob | None:
        row = self._database.row("SELECT * FROM jobs WHERE id = ?", id)
        return None if row is None else _job(row)

    def update_job(
        self,
        id: str,
        *,
        state: JobState | None = None,
        note: str | None = None,
        started: float | None = None,
        ended: float | None = None,
        error: tuple[int, str] | None = None,
    ) -> StoredJob:
        """Changes what is given; the same state again changes no state, an illegal one raises."""
        with self._database.transaction():
            job = self.job(id)
            if job is None:
                raise KeyError(id)
            after = job.state if state is None else state
            if after != job.state and not may_follow(job.state, after):
                raise IllegalTransitionError(f"Job {id} cannot go from {job.state} to {after}.")
            code, message = error or (None, None)
            # Clocks may be set back; a job still starts after its creation and ends after its start.
            started = None if started is None else max(started, job.created)
            ended = None if ended is None else max(ended, started or job.started or job.created)
            self._database.write(
                "UPDATE jobs SET state = ?, note = coalesce(?, note), started = coalesce(?, started),"
                " ended = coalesce(?, ended), error_code = coalesce(?, error_code),"
                " error_message = coalesce(?, error_message), updated = max(updated, ?) WHERE id = ?",
                after, note, started, ended, code, message, time.time(), id,
            )  # fmt: skip
            job = self.job(id)
            assert job is not None
        self._tell_listeners()
        return job

    # --- what the routes use ---

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Calls `listener` after each change, from any thread, until the returned function is called."""
        with self._listening:
            self._listeners.append(listener)

        def stop() -> None:
            with self._listening:
                self._listeners.remove(listener)

        return stop

    def create_job(
        self,
        location: str,
        body: Mapping[str, Any],
        kind: JobKind = JobKind.TRAINING,
        model: Mapping[str, Any] | None = None,
        *,
        id: str | None = None,
    ) -> tuple[StoredJob, bool]:
        """Keeps a new job; with a submission token that is known, the first job of that token. True if it is new."""
        token = body.get("labels", {}).get(TOKEN_LABEL) or None
        now = time.time()
        with self._database.transaction():
            if token is not None:
                row = self._database.row("SELECT * FROM jobs WHERE token = ?", token)
                if row is not None:
                    return _same_kind(_job(row), kind), False
            id = id or new_id()
            self._database.write(
                "INSERT INTO jobs (id, location, token, body, state, created, updated, kind, model)"
                " VALUES (?,?,?,?,?,?,?,?,?)",
                id, location, token, json.dumps(body), JobState.QUEUED, now, now, kind, json.dumps(model or {}),
            )  # fmt: skip
            job = self.job(id)
            assert job is not None
        self._tell_listeners()
        return job, True

    def jobs(self, kind: JobKind | None = None) -> list[StoredJob]:
        """All jobs, or those of a kind, the latest first."""
        rows = self._database.rows("SELECT * FROM jobs WHERE ?1 IS NULL OR kind = ?1 ORDER BY sequence DESC", kind)
        return [_job(row) for row in rows]

    def named(self, path: Mapping[str, str], kind: JobKind) -> StoredJob:
        """The job that the variables of a URL name; raises 404."""
        collection = COLLECTIONS[kind]
        id, location = path[f"{collection}Id"], path["locationsId"]
        job = self.job(id)
        if job is None or (job.location, job.kind) != (location, kind):
            name = f"projects/{path['projectsId']}/locations/{location}/{collection}/{id[:80]}"
            raise PlatformError(404, f"The {_TITLES[kind]} {name} does not exist.")
        return job

    def count(self, states: Collection[JobState]) -> int:
        marks = ",".join("?" * len(states))
        row = self._database.row(f"SELECT count(*) FROM jobs WHERE state IN ({marks})", *states)
        return int(row[0]) if row is not None else 0

    def delete_job(self, job: StoredJob) -> dict[str, Any]:
        """Forgets a job; returns the finished operation that says so."""
        with self._database.transaction():
            if not self._database.write("DELETE FROM jobs WHERE id = ? AND state = ?", job.id, job.state):
                raise PlatformError(404, f"The {_TITLES[job.kind]} {job.resource_name} does not exist.")
            operation = self._operations.record_done(
                job.location, f"{COLLECTIONS[job.kind]}/{job.id}", typed("DeleteOperationMetadata", {})
            )
        self._tell_listeners()
        return operation

    def _tell_listeners(self) -> None:
        with self._listening:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()


def check_cancellable(job: StoredJob) -> None:
    """Refuses to cancel what has ended by itself."""
    if job.state in (JobState.SUCCEEDED, JobState.FAILED):
        raise PlatformError(
            400,
            f"{_TITLES[job.kind]} {job.resource_name} is in state {WIRE_STATES[job.state]} and cannot be cancelled.",
            status="FAILED_PRECONDITION",
        )


def check_deletable(job: StoredJob) -> None:
    """Refuses to delete what has not ended."""
    if not job.state.is_final:
        raise PlatformError(
            400,
            f"{_TITLES[job.kind]} {job.resource_name} is in state {WIRE_STATES[job.state]}; cancel it before deleting"
            " it.",
            status="FAILED_PRECONDITION",
        )


def server_fields(job: StoredJob) -> dict[str, Any]:
    """What a server adds to the resource of any job."""
    body: dict[str, Any] = {
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


def _same_kind(job: StoredJob, kind: JobKind) -> StoredJob:
    if job.kind is not kind:
        raise PlatformError(409, f"The label {TOKEN_LABEL} is that of another kind of job: {job.resource_name}.")
    return job


def _job(row: Any) -> StoredJob:
    return StoredJob(
        id=row["id"],
        sequence=row["sequence"],
        location=row["location"],
        body=json.loads(row["body"]),
        state=JobState(row["state"]),
        created=row["created"],
        updated=row["updated"],
        started=row["started"],
        ended=row["ended"],
        note=row["note"],
        error=None if row["error_message"] is None else (row["error_code"], row["error_message"]),
        kind=JobKind(row["kind"]),
        model=json.loads(row["model"]),
    )
