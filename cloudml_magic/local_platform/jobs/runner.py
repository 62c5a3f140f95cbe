"""Runs the platform's jobs: first come, first served, as many at once as the machine bears, and none ever twice.

One thread decides and watches; preparing a job (which may install packages) has a thread of its own.
All that holds the one lock over queue and runs stands in this file, which is longer than others for that:
whether a job can start twice, or be lost, is to be seen in one reading.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import shutil
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.disk import is_disk_full
from cloudml_magic.local_platform.jobs.batch import Batches
from cloudml_magic.local_platform.jobs.capacity import Capacity
from cloudml_magic.local_platform.jobs.environment import plain_environment, write_shims
from cloudml_magic.local_platform.jobs.outcomes import (
    INTERNAL,
    INVALID_ARGUMENT,
    Error,
    disk_full,
    error_of,
    lost,
    restarted,
)
from cloudml_magic.local_platform.jobs.packages import PreparationError
from cloudml_magic.local_platform.jobs.preparation import Preparation, PreparedJob
from cloudml_magic.local_platform.jobs.replicas import replicas_of
from cloudml_magic.local_platform.jobs.restarts import begins_again
from cloudml_magic.local_platform.jobs.runs import JobStore, Run, StoredJob, error_after_absence, record
from cloudml_magic.local_platform.jobs.spare import WarmSpare
from cloudml_magic.local_platform.jobs.supervision import SupervisedReplica, is_held, start_supervisor, tell
from cloudml_magic.local_platform.settings import PlatformSettings
from cloudml_magic.places import PlatformPlaces
from cloudml_magic.records import JobKind
from cloudml_magic.states import JobState

_CLAIM_SECONDS = 2.0
_HOUSEKEEPING_SECONDS = 5.0
_RETRY_SECONDS = 1.0
# What a store raises that cannot be written now, most often because the disk is full.
_UNWRITABLE = (sqlite3.Error, OSError)

_log = logging.getLogger("cloudml_magic.local_platform")


class JobRunner:
    """The jobs of one platform."""

    def __init__(
        self,
        places: PlatformPlaces,
        resources: JobStore,
        buckets_root: Path,
        settings: PlatformSettings,
        *,
        grace_seconds: float = 30.0,
    ) -> None:
        self._places = places
        self._resources = resources
        self._settings = settings
        shims = places.state / "bin"
        write_shims(shims)
        plain = plain_environment(buckets_root, shims)
        self._preparation = Preparation(places, buckets_root, plain, grace_seconds)
        self._batches = Batches(places, buckets_root, grace_seconds, fast_engine=settings.fast_engine)
        self._capacity = Capacity(settings)
        self._spare = WarmSpare(places.spare, plain, settings.spare_idle_seconds)
        self._lock = threading.RLock()
        self._queue: deque[str] = deque()
        self._runs: dict[str, Run] = {}
        self._unrecorded: dict[str, Run] = {}
        self._waits_for_store = False
        self._closing = False
        self._selector = selectors.DefaultSelector()
        self._wake_reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_writer, False)
        self._selector.register(self._wake_reader, selectors.EVENT_READ, None)
        self._thread: threading.Thread | None = None

    # --- what the platform calls ---

    def check(self, body: Mapping[str, Any]) -> None:
        """Refuses a job that could never run here (PlatformError)."""
        self._preparation.check(body)

    def submit(self, job_id: str) -> None:
        """Puts a stored job into the queue; its packages are pinned as they are now."""
        job = self._resources.job(job_id)
        if job is None or job.state != JobState.QUEUED:
            return
        # The job is stored and so must run or fail: what cannot be pinned now is pinned when it is prepared.
        self._guarded(self._pin, job)
        with self._lock:
            if job_id not in self._queue and job_id not in self._runs:
                self._queue.append(job_id)
        self._wake()

    def cancel(self, job_id: str) -> None:
        """Cancels a job wherever it stands; a job that has ended stays as it is."""
        with self._lock:
            job = self._resources.job(job_id)
            if job is None or job.state.is_final:
                return
            if job_id in self._queue or (job.state == JobState.QUEUED and job_id not in self._runs):
                self._resources.update_job(job_id, state=JobState.CANCELLED, ended=time.time(), note="")
                if job_id in self._queue:
                    self._queue.remove(job_id)
                return
            run = self._runs.get(job_id)
            if run is None or run.ended is not None:
                return
            run.is_cancelled = True
            # First of all: the job may be what fills the disk that its new state needs.
            run.stop()
            self._record(run)
        self._wake()

    def delete_files(self, job_id: str, body: Mapping[str, Any]) -> None:
        """Frees what a job that has ended keeps on this machine; of its folder in the bucket only what is empty."""
        self._batches.remove_leftovers(job_id)
        shutil.rmtree(self._places.jobs / job_id, ignore_errors=True)
        self._preparation.remove_empty_folders(body)

    def position(self, job_id: str) -> int | None:
        """Place in the queue, from 1; nothing for a job that does not wait."""
        with self._lock:
            return self._queue.index(job_id) + 1 if job_id in self._queue else None

    def start(self) -> None:
        """Takes up what an earlier platform left, then serves the queue."""
        for job in self._resources.jobs_in([JobState.PREPARING, JobState.RUNNING, JobState.CANCELLING]):
            self._adopt(job)
        for job in self._resources.jobs_in([JobState.QUEUED]):
            self._guarded(self._pin, job)
            self._queue.append(job.id)
        self._thread = threading.Thread(target=self._serve, name="job-runner", daemon=True)
        self._thread.start()
        if self._settings.spare and not self._queue and not self._runs:
            self._spare.refill()

    def close(self) -> None:
        """Stops deciding; jobs that run go on under their supervisors."""
        with self._lock:
            self._closing = True
        self._wake()
        if self._thread is not None:
            self._thread.join(5)
        self._spare.close()

    # --- the thread ---

    def _serve(self) -> None:
        while not self._closing:
            wait = _RETRY_SECONDS if self._unrecorded or self._waits_for_store else _HOUSEKEEPING_SECONDS
            for key, _ in self._selector.select(wait):
                if key.data is None:
                    os.read(self._wake_reader, 4096)
                else:
                    self._guarded(self._note_end, *key.data)
            self._guarded(self._record_again)
            self._guarded(self._start_waiting)
            self._spare.end_if_idle()

    def _guarded(self, step: Any, *arguments: Any) -> None:
        # One job's trouble must not end the thread that all jobs depend on.
        try:
            step(*arguments)
        except Exception:
            _log.exception("a step of the job runner failed")

    def _start_waiting(self) -> None:
        with self._lock:
            self._waits_for_store = False
            while self._queue and self._capacity.has_room() and not self._closing:
                job_id = self._queue.popleft()
                gpu = self._capacity.take(job_id)
                job = self._resources.job(job_id)
                self._runs[job_id] = run = Run(job_id, job.kind if job else JobKind.TRAINING, gpu)
                try:
                    self._resources.update_job(job_id, state=JobState.PREPARING, note="")
                except _UNWRITABLE:
                    self._forget(run)
                    self._queue.appendleft(job_id)
                    self._waits_for_store = True
                    return
                except Exception:
                    # It was deleted, or moved on behind our back.
                    self._forget(run)
                    continue
                self._begin(self._prepare, run)

    def _begin(self, task: Callable[[Run], None], run: Run) -> None:
        threading.Thread(target=task, args=(run,), name=f"prepare-{run.id}", daemon=True).start()

    def _prepare(self, run: Run) -> None:
        try:
            job = self._resources.job(run.id)
            assert job is not None
            self._launch(run, self._prepared(job, run.gpu))
        except PreparationError as problem:
            self._fail(run, (INVALID_ARGUMENT, str(problem)))
        except Exception as problem:
            _log.exception("job %s could not be prepared", run.id)
            message = f"The job could not be prepared: {type(problem).__name__}: {problem}"
            self._fail(run, disk_full("The job could not start") if is_disk_full(problem) else (INTERNAL, message))

    def _prepared(self, job: StoredJob, gpu: int | None) -> PreparedJob:
        if job.kind is JobKind.BATCH:
            return self._batches.prepare(job.id, job.body, job.model, gpu)
        self._pin(job)
        return self._preparation.prepare(
            job.id, job.body, gpu, self._spare.backend, lambda note: self._say(job.id, note)
        )

    def _launch(self, run: Run, prepared: PreparedJob) -> None:
        run.backend, run.note = prepared.backend, prepared.note
        for name, told in prepared.assignments:
            if run.is_stopping:
                break
            folder = Path(told["replica_folder"])
            supervisor = self._spare.take(told) if prepared.suits_spare and self._settings.spare else None
            if supervisor is None:
                supervisor = start_supervisor(folder / "supervisor.log")
                tell(supervisor, told)
            with self._lock:
                self._watch(run, SupervisedReplica(name, folder, supervisor))
        with self._lock:
            run.is_launched = True
            run.started = None if run.is_cancelled else time.time()
            if run.is_stopping:
                run.stop()
            if run.living:
                self._record(run)
            else:
                self._finish(run)
        self._wake()

    def _watch(self, run: Run, replica: SupervisedReplica) -> None:
        run.replicas[replica.name] = replica
        if replica.descriptor is None:
            return
        run.living.add(replica.name)
        self._selector.register(replica.descriptor, selectors.EVENT_READ, (run, replica))

    def _note_end(self, run: Run, replica: SupervisedReplica) -> None:
        with self._lock:
            if replica.descriptor is None:
                return
            self._selector.unregister(replica.descriptor)
            replica.release()
            run.living.discard(replica.name)
            ended = replica.ended()
            if self._goes_on(run, ended):
                return
            if not run.is_cancelled and run.error is None and not run.chief_is_done(replica):
                run.error = (
                    error_of(replica.name, ended, replica.folder) if ended else lost(replica.name, replica.folder)
                )
            if run.error is not None or replica.name == "workerpool0-0":
                # The job is over with its chief, or with the first that fails.
                run.stop()
            if not run.living and run.is_launched:
                self._finish(run)

    def _goes_on(self, run: Run, ended: Mapping[str, Any] | None) -> bool:
        """Starts a job again whose process died: a batch knows itself where it was, a training from its checkpoints."""
        if run.is_cancelled or run.error or run.living or not run.is_launched:
            return False
        if run.kind is JobKind.BATCH:
            if not self._batches.goes_on(run.id, ended):
                return False
            self._say(run.id, "Its process died; it goes on where it was.")
        else:
            job = self._resources.job(run.id)
            if job is None or not begins_again(job.body, self._places.jobs / run.id, ended):
                return False
        run.begin_again()
        self._begin(self._prepare, run)
        return True

    def _finish(self, run: Run) -> None:
        run.ended = run.ended or time.time()
        # Also if its end cannot be recorded yet: others may use what it used.
        self._capacity.give_back(run.id)
        self._record(run)
        self._wake()

    def _record(self, run: Run) -> None:
        """Brings the store up to the run, now or as soon as the store can be written; forgets one that is over."""
        try:
            record(run, self._resources)
        except _UNWRITABLE as problem:
            if run.id not in self._unrecorded:
                _log.error("job %s cannot be recorded yet: %s", run.id, problem)
            self._unrecorded[run.id] = run
            return
        except Exception:
            # It was deleted behind our back.
            _log.exception("job %s cannot be recorded", run.id)
        self._unrecorded.pop(run.id, None)
        if run.ended is not None and run.id in self._runs:
            self._forget(run)
            if self._settings.spare and not self._queue and not self._closing:
                self._spare.refill(run.backend)

    def _record_again(self) -> None:
        with self._lock:
            for run in list(self._unrecorded.values()):
                self._record(run)

    def _fail(self, run: Run, error: Error) -> None:
        with self._lock:
            run.error = error
            run.is_launched = True
            run.stop()
            if not run.living:
                self._finish(run)

    def _forget(self, run: Run) -> None:
        self._runs.pop(run.id, None)
        self._capacity.give_back(run.id)

    # --- after another platform's end ---

    def _adopt(self, job: StoredJob) -> None:
        """A job that an earlier platform started: its supervisor lives, has ended, or never began."""
        self._runs[job.id] = run = Run(job.id, job.kind, self._capacity.take(job.id))
        run.is_cancelled = job.state == JobState.CANCELLING
        if job.state == JobState.RUNNING and job.kind is not JobKind.BATCH:
            self._resume(run)
        else:
            self._begin(self._take_up, run)

    def _take_up(self, run: Run) -> None:
        # A supervisor may have got its line just before the platform died; the job must not start twice.
        deadline = time.monotonic() + _CLAIM_SECONDS
        while self._is_about_to_be_claimed(run) and time.monotonic() < deadline:
            time.sleep(0.01)
        if self._claims(run) or run.is_cancelled:
            with self._lock:
                self._guarded(self._resume, run)
        else:
            self._prepare(run)

    def _claims(self, run: Run) -> list[Path]:
        """The folders of the job's replicas that a supervisor serves or has served."""
        return [path.parent for path in sorted((self._places.jobs / run.id).glob("*/process.json"))]

    def _is_about_to_be_claimed(self, run: Run) -> bool:
        claims = self._claims(run)
        logs = [log for log in (self._places.jobs / run.id).glob("*/supervisor.log") if log.parent not in claims]
        return any(map(is_held, logs if claims else [*logs, self._spare.errors]))

    def _resume(self, run: Run) -> None:
        job = self._resources.job(run.id)
        replicas = [SupervisedReplica(folder.name, folder) for folder in self._claims(run)]
        run.is_launched = True
        for replica in replicas:
            self._watch(run, replica)
        if replicas and job is not None and job.state == JobState.PREPARING:
            run.started = time.time()
            expected = [] if job.kind is JobKind.BATCH else replicas_of(job.body)
            never_started = [replica.name for replica in expected[len(replicas) :]]
            run.error = lost(never_started[0], self._places.jobs) if never_started else None
        gone = [replica for replica in replicas if replica.name not in run.living]
        if (gone or not replicas) and self._goes_on(run, gone[0].ended() if gone else None):
            return
        for replica in replicas:
            if replica.name not in run.living and run.error is None:
                run.error = error_after_absence(replica)
        if not replicas:
            run.error = restarted()
        if run.error is not None or run.is_cancelled:
            run.stop()
        if run.living:
            self._record(run)
        else:
            for replica in replicas:
                replica.release()
            self._finish(run)
        self._wake()

    # --- small things ---

    def _pin(self, job: StoredJob) -> None:
        if job.kind is JobKind.TRAINING and not (self._places.jobs / job.id / "packages.json").exists():
            self._preparation.pin(job.body, self._places.jobs / job.id)

    def _say(self, job_id: str, note: str) -> None:
        with contextlib.suppress(KeyError, *_UNWRITABLE):
            self._resources.update_job(job_id, note=note)

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_writer, b"w")
