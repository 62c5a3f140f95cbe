"""What the runner knows of a job that left the queue, and how the store is brought up to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from cloudml_magic.local_platform.jobs.outcomes import Error, error_of, lost, restarted
from cloudml_magic.local_platform.jobs.supervision import SupervisedReplica
from cloudml_magic.records import JobKind
from cloudml_magic.states import JobState


class StoredJob(Protocol):
    """What the runner reads of a job."""

    @property
    def id(self) -> str: ...
    @property
    def body(self) -> Mapping[str, Any]: ...
    @property
    def state(self) -> JobState: ...
    @property
    def kind(self) -> JobKind: ...
    @property
    def model(self) -> Mapping[str, Any]: ...


class JobStore(Protocol):
    """Where jobs are kept; every method may be called from any thread, and may fail where the disk is full."""

    def jobs_in(self, states: Collection[JobState], /) -> Collection[StoredJob]: ...
    def job(self, id: str, /) -> StoredJob | None: ...
    def update_job(
        self,
        id: str,
        *,
        state: JobState | None = None,
        note: str | None = None,
        started: float | None = None,
        ended: float | None = None,
        error: Error | None = None,
    ) -> object: ...


class Run:
    """A job that was taken out of the queue."""

    def __init__(self, job_id: str, kind: JobKind, gpu: int | None) -> None:
        self.id = job_id
        self.kind = kind
        self.gpu = gpu
        self.replicas: dict[str, SupervisedReplica] = {}
        self.living: set[str] = set()
        self.is_launched = False
        self.is_stopping = False
        self.is_cancelled = False
        self.error: Error | None = None
        self.note: str | None = None
        self.started: float | None = None
        self.ended: float | None = None
        self.backend: str | None = None

    def begin_again(self) -> None:
        """Nothing of it lives: it is as it was before its launch."""
        self.replicas.clear()
        self.living.clear()
        self.is_launched = self.is_stopping = False

    def chief_is_done(self, replica: SupervisedReplica) -> bool:
        """Whether this is not the chief, and the chief has ended well."""
        chief = self.replicas.get("workerpool0-0")
        ended = chief.ended() if chief is not None else None
        return replica is not chief and ended is not None and ended.get("code") == 0

    def stop(self) -> None:
        """Asks all replicas that live to end; none is started any more."""
        self.is_stopping = True
        for name in self.living:
            self.replicas[name].ask_to_end()


def error_after_absence(replica: SupervisedReplica) -> Error | None:
    """How a replica failed whose supervisor is not there, and was another platform's."""
    ended = replica.ended()
    if ended is not None:
        return error_of(replica.name, ended, replica.folder)
    return lost(replica.name, replica.folder) if replica.is_of_this_boot else restarted()


def record(run: Run, store: JobStore) -> None:
    """Moves the stored job through every state that the run has reached; may be repeated after it failed."""
    job = store.job(run.id)
    if job is None or job.state.is_final:
        return
    state = job.state
    if state == JobState.PREPARING and run.started is not None and not run.is_cancelled:
        state = JobState.RUNNING
        store.update_job(run.id, state=state, started=run.started, note=run.note)
    if run.is_cancelled and state != JobState.CANCELLING:
        state = JobState.CANCELLING
        store.update_job(run.id, state=state, note="")
    if run.ended is None:
        return
    if state == JobState.CANCELLING:
        store.update_job(run.id, state=JobState.CANCELLED, ended=run.ended, note="")
    elif run.error is not None:
        store.update_job(run.id, state=JobState.FAILED, ended=run.ended, error=run.error, note="")
    else:
        store.update_job(run.id, state=JobState.SUCCEEDED, ended=run.ended)
