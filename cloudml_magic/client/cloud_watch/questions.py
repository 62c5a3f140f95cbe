"""What the watch asks, put to Google: states and logs through its API, reports from the job's folder."""

from __future__ import annotations

from collections.abc import Callable

from cloudml_magic.client.calls import Caller, understood
from cloudml_magic.client.dialect import Dialect
from cloudml_magic.dialects import logging_v2
from cloudml_magic.dialects.logging_v2 import LogEntry
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import JobKind, JobSnapshot, Target
from cloudml_magic.storage import Address, Growth, ObjectStorage, ReadSoFar


class CloudQuestions:
    """The questions to one project and region."""

    def __init__(
        self, jobs: Caller, logging: Caller, storage: ObjectStorage, dialect: Dialect, project: str, region: str
    ) -> None:
        self._dialect = dialect
        self._jobs = jobs
        self._logging = logging
        self._storage = storage
        self._place = (project, region)

    def states(self, jobs: list[JobSnapshot], spend: Callable[[], None]) -> dict[str, JobSnapshot | CloudMLError]:
        """One call for one job, and one for all that go on; those that have ended meanwhile are asked for singly."""
        kinds = {job.kind for job in jobs} if len(jobs) > 1 else set()
        found: dict[str, JobSnapshot | CloudMLError] = {}
        for number, kind in enumerate(kinds):
            if number:
                spend()
            found |= self._active(kind)
        for number, job in enumerate([job for job in jobs if job.resource_name not in found]):
            if number or kinds:
                spend()
            found[job.resource_name] = self._state(job)
        return found

    def log_tail(self, job: JobSnapshot) -> tuple[list[LogEntry], bool]:
        call = logging_v2.list_entries(self._place[0], job.id, newest_first=True)
        answer = self._logging.once(call)
        with understood():
            return logging_v2.read_log_entries(answer)[::-1], "nextPageToken" in answer

    def log_since(self, jobs: list[JobSnapshot], since: float) -> tuple[list[LogEntry], bool]:
        call = logging_v2.list_entries_since(self._place[0], [job.id for job in jobs], since)
        answer = self._logging.once(call)
        with understood():
            return logging_v2.read_log_entries(answer), "nextPageToken" in answer

    def report(self, job: JobSnapshot, known: ReadSoFar | None) -> Growth | None:
        return self._storage.read_newer(Address.parse(job.folder) / "events.jsonl", known) if job.folder else None

    def _active(self, kind: JobKind) -> dict[str, JobSnapshot | CloudMLError]:
        dialect = self._dialect.kinds[kind]
        answer = self._jobs.once(dialect.list_jobs(*self._place, active=True))
        with understood():
            return {job.resource_name: job for job in dialect.read_jobs(answer, Target.CLOUD)[0]}

    def _state(self, job: JobSnapshot) -> JobSnapshot | CloudMLError:
        dialect = self._dialect.of(job.resource_name)
        try:
            answer = self._jobs.once(dialect.get_job(job.resource_name))
            with understood():
                return dialect.read_job(answer, Target.CLOUD)
        except CloudMLError as error:
            if error.reference != "not-found":
                raise
            return error
