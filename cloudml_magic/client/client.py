"""What can be asked of a platform about jobs, in our records."""

from __future__ import annotations

from collections.abc import Iterator

from cloudml_magic.client.access import Locate
from cloudml_magic.client.calls import Caller, LostReplyError
from cloudml_magic.client.event_stream import follow
from cloudml_magic.client.models import Models
from cloudml_magic.dialects import aiplatform_v1 as dialect
from cloudml_magic.dialects import logging_v2
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import JobEvent, JobSnapshot, JobSpec, Target

_SUBMIT_ATTEMPTS = 6


class Client:
    """Speaks Google's REST API with one place."""

    def __init__(
        self, locate: Locate, locate_again: Locate | None = None, *, target: Target, project: str, region: str
    ) -> None:
        # Who only watches may be told to leave a platform that was stopped as it is.
        self._locate_again = locate_again or locate
        self._target = target
        self._project = project
        self._region = region
        self._caller = Caller(locate, dialect.API)
        self._logging = Caller(locate, logging_v2.API)
        self.models = Models(self._caller, project, region)

    def create_job(self, spec: JobSpec) -> JobSnapshot:
        """Submits a job once: after a lost answer the job is looked for by its token before anything is sent again."""
        call = dialect.create_job(spec, self._project, self._region)
        last: LostReplyError | None = None
        for _ in range(_SUBMIT_ATTEMPTS):
            try:
                return dialect.read_job(self._caller.once(call, search_again=last is not None), self._target)
            except LostReplyError as lost:
                last = lost
            if found := self.submitted(spec.token):
                return found
        raise last.error if last else AssertionError("at least one attempt is made")

    def submitted(self, token: str) -> JobSnapshot | None:
        """The job that a submission became, if it arrived."""
        answer = self._caller.perform(dialect.list_jobs(self._project, self._region, token=token))
        found, _ = dialect.read_jobs(answer, self._target)
        return found[0] if found else None

    def job(self, resource_name: str) -> JobSnapshot:
        """How a job stands now."""
        return dialect.read_job(self._caller.perform(dialect.get_job(resource_name)), self._target)

    def jobs(self) -> Iterator[JobSnapshot]:
        """Every job of the place, latest first."""
        page_token: str | None = None
        while True:
            answer = self._caller.perform(dialect.list_jobs(self._project, self._region, page_token=page_token))
            found, page_token = dialect.read_jobs(answer, self._target)
            yield from found
            if page_token is None:
                return

    def cancel(self, resource_name: str) -> None:
        """Asks a job to stop; one that has ended already is left as it is."""
        self._caller.perform(dialect.cancel_job(resource_name))

    def delete(self, resource_name: str) -> None:
        """Removes a job that has ended; one that is gone already is no error."""
        try:
            self._caller.perform(dialect.delete_job(resource_name))
        except CloudMLError as error:
            if error.reference != "not-found":
                raise

    def logs(self, job_id: str, *, last: int | None = None) -> list[str]:
        """What a job has printed, oldest first: all of it, or the last lines."""
        lines: list[str] = []
        page_token: str | None = None
        while True:
            call = logging_v2.list_entries(self._project, job_id, newest_first=last is not None, page_token=page_token)
            found, page_token = logging_v2.read_entries(self._logging.perform(call))
            lines += found
            if page_token is None or (last is not None and len(lines) >= last):
                return lines if last is None else lines[:last][::-1]

    def watch(self, job_id: str, *, log_tail: int | None = None) -> Iterator[JobEvent]:
        """What a job reports, from its beginning, until it has ended; survives a restart of the platform."""
        return follow(self._locate_again, job_id, log_tail=log_tail)
