"""Jobs as rows: bodies as they came, plus what a server adds.

The runner reads and moves jobs through the five methods that come first; the routes read the others.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cloudml_magic.local_platform.database import Database
from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.resources.names import new_id, resource_name
from cloudml_magic.local_platform.resources.operations import Operations, typed
from cloudml_magic.states import JobState, may_follow

TOKEN_LABEL = "cloudml-token"
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
    """One job as the platform keeps it; `body` is what was submitted, in the schema's form, secrets unmasked."""

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

    @property
    def resource_name(self) -> str:
        return resource_name(self.location, "customJobs", self.id)


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

    def create_job(self, location: str, body: Mapping[str, Any]) -> tuple[StoredJob, bool]:
        """Keeps a new job; with a submission token that is known, the first job of that token. True if it is new."""
        token = body.get("labels", {}).get(TOKEN_LABEL) or None
        now = time.time()
        with self._database.transaction():
            if token is not None:
                row = self._database.row("SELECT * FROM jobs WHERE token = ?", token)
                if row is not None:
                    return _job(row), False
            id = new_id()
            self._database.write(
                "INSERT INTO jobs (id, location, token, body, state, created, updated) VALUES (?,?,?,?,?,?,?)",
                id, location, token, json.dumps(body), JobState.QUEUED, now, now,
            )  # fmt: skip
            job = self.job(id)
            assert job is not None
        self._tell_listeners()
        return job, True

    def jobs(self) -> list[StoredJob]:
        """All jobs, the latest first."""
        return [_job(row) for row in self._database.rows("SELECT * FROM jobs ORDER BY sequence DESC")]

    def count(self, states: Collection[JobState]) -> int:
        marks = ",".join("?" * len(states))
        row = self._database.row(f"SELECT count(*) FROM jobs WHERE state IN ({marks})", *states)
        return int(row[0]) if row is not None else 0

    def delete_job(self, job: StoredJob) -> dict[str, Any]:
        """Forgets a job; returns the finished operation that says so."""
        with self._database.transaction():
            if not self._database.write("DELETE FROM jobs WHERE id = ? AND state = ?", job.id, job.state):
                raise PlatformError(404, f"The CustomJob {job.resource_name} does not exist.")
            operation = self._operations.record_done(
                job.location, f"customJobs/{job.id}", typed("DeleteOperationMetadata", {})
            )
        self._tell_listeners()
        return operation

    def _tell_listeners(self) -> None:
        with self._listening:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()


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
    )
