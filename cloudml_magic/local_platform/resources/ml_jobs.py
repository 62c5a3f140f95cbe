"""Jobs of the older API (`ml` v1): what was submitted, beside the job that runs for it.

Such a job is run as any other: its row among the jobs has its own id, no location, and as body what today's API would
call the same work. Here is what it was submitted as. Jobs of this API are never deleted, so an id is taken for ever.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloudml_magic.local_platform.database import Database
from cloudml_magic.local_platform.resources.jobs import JobResources, StoredJob
from cloudml_magic.records import JobKind

_ROLES = ("master", "worker", "ps", "evaluator")
_REPLICA = re.compile(r"workerpool(\d)-(\d+)")
_FAILED_REPLICA = re.compile(r"(?<=^The replica )workerpool(\d)-(\d+)")


@dataclass(frozen=True, slots=True)
class StoredMlJob:
    """A Job as it was submitted, and the job that runs for it."""

    submitted: Mapping[str, Any]
    job: StoredJob


class MlJobs:
    """All jobs of the older API; any thread may call."""

    def __init__(self, database: Database, jobs: JobResources) -> None:
        self.database = database
        self._jobs = jobs

    def create(
        self,
        submitted: Mapping[str, Any],
        body: Mapping[str, Any],
        kind: JobKind,
        model: Mapping[str, Any] | None = None,
    ) -> StoredMlJob | None:
        """Keeps a new job; nothing if its id is taken."""
        id = submitted["jobId"]
        with self.database.transaction():
            if self._jobs.job(id) is not None:
                return None
            job, _ = self._jobs.create_job("", body, kind, model, id=id)
            self.database.write("INSERT INTO ml_jobs VALUES (?,?)", id, json.dumps(submitted))
        return StoredMlJob(submitted, job)

    def find(self, id: str) -> StoredMlJob | None:
        row, job = self.database.row("SELECT body FROM ml_jobs WHERE id = ?", id), self._jobs.job(id)
        return None if row is None or job is None else StoredMlJob(json.loads(row["body"]), job)

    def all(self) -> list[StoredMlJob]:
        """The latest first."""
        submitted = {row["id"]: json.loads(row["body"]) for row in self.database.rows("SELECT * FROM ml_jobs")}
        return [StoredMlJob(submitted[job.id], job) for job in self._jobs.jobs() if job.id in submitted]

    def change(self, id: str, submitted: Mapping[str, Any]) -> None:
        """Replaces what was submitted."""
        self.database.write("UPDATE ml_jobs SET body = ? WHERE id = ?", json.dumps(submitted), id)


def task_name(job: StoredJob, replica: str) -> str:
    """A replica as logs name it: `workerpool0-0`, in the older API `master-replica-0`."""
    found = _REPLICA.fullmatch(replica)
    return replica if job.location or not found else f"{_ROLES[int(found[1])]}-replica-{found[2]}"


def failure_of(job: StoredJob) -> str | None:
    """Why a job failed, its replica named as the older API does: `master 0`."""
    if job.error is None:
        return None
    return _FAILED_REPLICA.sub(lambda found: f"{_ROLES[int(found[1])]} {found[2]}", job.error[1])
