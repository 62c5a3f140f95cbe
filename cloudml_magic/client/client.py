"""What can be asked of a platform about jobs, in our records."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator

from cloudml_magic.client.calls import UNREADABLE, Caller, LostReplyError, attempts, understood
from cloudml_magic.client.dialect import Dialect
from cloudml_magic.client.watching import Reading, Watch
from cloudml_magic.dialects import logging_v2
from cloudml_magic.dialects.call import Call
from cloudml_magic.dialects.logging_v2 import LogLine
from cloudml_magic.errors import CloudMLError
from cloudml_magic.patience import Patience
from cloudml_magic.records import BatchSpec, JobEvent, JobKind, JobSnapshot, JobSpec, Target

CallerOf = Callable[[tuple[str, str]], Caller]
"""Who calls an API, by its name and version."""


class Client:
    """Speaks Google's REST API with one place."""

    def __init__(
        self, caller: CallerOf, watch: Watch, dialect: Dialect, *, target: Target, project: str, region: str
    ) -> None:
        self._target = target
        self._project = project
        self._region = region
        self._dialect = dialect
        self._caller = caller(dialect.api)
        self._logging = caller(logging_v2.API)
        self._watch = watch
        self.models = dialect.models(self._caller, project, region)

    def create_job(self, spec: JobSpec) -> JobSnapshot:
        """Submits a job once: after a lost answer the job is looked for by its token before anything is sent again."""
        return self._submit(self._dialect.create_job(spec, self._project, self._region), spec.token, JobKind.TRAINING)

    def create_batch_job(self, spec: BatchSpec) -> JobSnapshot:
        """Submits a batch prediction once, as `create_job` does."""
        call = self._dialect.create_batch_job(spec, self._project, self._region)
        return self._submit(call, spec.token, JobKind.BATCH)

    def submitted(self, token: str, kind: JobKind | None = None) -> JobSnapshot | None:
        """The job that a submission became, of this kind or of any, if it arrived."""
        kinds = self._dialect.kinds
        for dialect in [kinds[kind]] if kind else kinds.values():
            answer = self._caller.perform(dialect.list_jobs(self._project, self._region, token=token))
            with understood():
                found, _ = dialect.read_jobs(answer, self._target)
            if found:
                return found[0]
        return None

    def job(self, resource_name: str) -> JobSnapshot:
        """How a job stands now."""
        dialect = self._dialect.of(resource_name)
        answer = self._caller.perform(dialect.get_job(resource_name))
        with understood():
            return dialect.read_job(answer, self._target)

    def jobs(self, kinds: Iterable[JobKind] = JobKind) -> Iterator[JobSnapshot]:
        """Every job of the place, or those of some kinds, latest first."""
        return heapq.merge(*map(self._jobs_of, kinds), key=lambda job: job.created, reverse=True)

    def job_of_id(self, job_id: str) -> JobSnapshot:
        """How the job of an id stands now, of whichever kind it is."""
        try:
            return self.job(self.resource_name(job_id, JobKind.TRAINING))
        except CloudMLError as error:
            if error.reference != "not-found":
                raise
        return self.job(self.resource_name(job_id, JobKind.BATCH))

    def cancel(self, resource_name: str) -> None:
        """Asks a job to stop; one that has ended already is left as it is."""
        self._caller.perform(self._dialect.of(resource_name).cancel_job(resource_name))

    def delete(self, resource_name: str) -> None:
        """Removes a job that has ended, where its API can; one that is gone already is no error."""
        call = self._dialect.of(resource_name).delete_job(resource_name)
        if call is None:
            return
        try:
            self._caller.perform(call)
        except CloudMLError as error:
            if error.reference != "not-found":
                raise

    def resource_name(self, job_id: str, kind: JobKind) -> str:
        """What the place calls the job of an id."""
        return self._dialect.kinds[kind].resource_name(self._project, self._region, job_id)

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

    def log_lines(self, job_id: str, last: int) -> list[LogLine]:
        """The last lines that a job has printed, oldest first, each with its time and severity."""
        lines: list[LogLine] = []
        page_token: str | None = None
        while True:
            call = logging_v2.list_entries(self._project, job_id, newest_first=True, page_token=page_token)
            found, page_token = logging_v2.read_lines(self._logging.perform(call))
            lines += found
            if page_token is None or len(lines) >= last:
                return lines[:last][::-1]

    def watch(
        self, job: JobSnapshot, *, log_tail: int | None = None, reading: Reading | None = None
    ) -> Iterator[JobEvent]:
        """What a job reports, from its beginning, until it has ended; survives a restart of the platform.

        By `reading` another thread ends it before.
        """
        return self._watch.follow(job, log_tail, reading or Reading())

    def _submit(self, call: Call, token: str, kind: JobKind) -> JobSnapshot:
        last: CloudMLError | None = None
        patience = Patience()
        for again in attempts():
            try:
                answer = self._caller.once(call, search_again=again)
                with understood():
                    return self._dialect.kinds[kind].read_job(answer, self._target)
            except LostReplyError as lost:
                last = lost.error
            except CloudMLError as error:
                if error.reference != UNREADABLE:
                    raise
                last = error
            patience.failed(last.why)
            if found := self.submitted(token, kind):
                return found
        raise last or AssertionError("at least one attempt is made")

    def _jobs_of(self, kind: JobKind) -> Iterator[JobSnapshot]:
        dialect = self._dialect.kinds[kind]
        page_token: str | None = None
        while True:
            answer = self._caller.perform(dialect.list_jobs(self._project, self._region, page_token=page_token))
            with understood():
                found, page_token = dialect.read_jobs(answer, self._target)
            yield from found
            if page_token is None:
                return
