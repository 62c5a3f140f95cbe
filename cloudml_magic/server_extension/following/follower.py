"""Follows the running jobs of the place while some page is looked at, and notices jobs that come and go."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from typing import Any

from cloudml_magic.connection import only_looking, platform_has_begun
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline import Job
from cloudml_magic.pipeline.listing import jobs_here
from cloudml_magic.pipeline.lookup import job_of_id
from cloudml_magic.pipeline.session import ledger
from cloudml_magic.places import ledger_file
from cloudml_magic.records import Price
from cloudml_magic.server_extension.attendance import Attendance, AttendedFile
from cloudml_magic.server_extension.following.beat import Beat
from cloudml_magic.server_extension.following.cloud_jobs import CloudJobs
from cloudml_magic.server_extension.following.ended_jobs import EndedJobs
from cloudml_magic.server_extension.following.folded_job import FoldedJob
from cloudml_magic.server_extension.following.heartbeat import Heartbeat
from cloudml_magic.server_extension.pushes import JOB_DELTA, JOBS

MOST_LISTED = 200
_LIST_SECONDS = 5.0
_LATEST_SUBMISSIONS = 20
_MOST_TROUBLED = 1000
_BUSY_SECONDS, _QUIET_SECONDS, _HIDDEN_SECONDS = 0.03, 0.2, 1.0


class Follower:
    """The jobs that run, each folded once for all pages; asleep while no page is open."""

    def __init__(
        self,
        session: str,
        attendance: Attendance,
        attended_file: AttendedFile,
        heartbeat: Heartbeat,
        most: int,
        log: Any,
    ) -> None:
        self.session = session
        self.attendance = attendance
        self.ended = EndedJobs()
        self.cloud = CloudJobs()
        self._beat = Beat()
        self._attended_file = attended_file
        self._heartbeat = heartbeat
        self._most = most
        self._log = log
        self._lock = threading.RLock()
        self._running: dict[str, FoldedJob] = {}
        self._known: frozenset[str] | None = None
        self._ledger: tuple[object, ...] = ()
        self._listed = float("-inf")
        self._troubled: set[str] = set()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_stopped = False

    def renew(self, page: str, visible: bool) -> None:
        """A page is open, and looked at or not."""
        self.attendance.renew(page, visible)
        with self._lock:
            if not self._is_stopped and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._run, name="cloudml-follower", daemon=True)
                self._thread.start()
        self._wake.set()

    def stop(self) -> None:
        """Ends for good, with the server."""
        self._is_stopped = True
        self._wake.set()
        self._rest()
        self._attended_file.remove()

    def running(self, job: Job) -> FoldedJob:
        """The one folding of a job that runs."""
        with self._lock:
            if job.id not in self._running:
                self._running[job.id] = FoldedJob(
                    job,
                    self.session,
                    lambda delta: self._heartbeat.send(JOB_DELTA, delta),
                    lambda problem: self.note_trouble(job, problem),
                    self._beat,
                )
            return self._running[job.id]

    def known_running(self, job_id: str) -> FoldedJob | None:
        """The folding of a job, if it is followed already."""
        with self._lock:
            return self._running.get(job_id)

    def prices(self) -> list[Price]:
        """What an hour of each job costs that runs and is followed, as far as it is known."""
        with self._lock:
            followed = list(self._running.values())
        return [folded.price for folded in followed if folded.price is not None and not folded.has_ended]

    def read(self, folded: FoldedJob) -> None:
        """Reads a job's events, unless as many jobs are read as may be."""
        with self._lock:
            has_room = folded.is_read or sum(each.is_read for each in self._running.values()) < self._most
            if has_room and not folded.is_given_up:
                folded.begin_reading()
                return
        folded.look(folded.job.snapshot())

    def settle(self, folded: FoldedJob) -> None:
        """Lets a job that has ended go to the others that have; lets readers go if nobody looks."""
        if folded.has_ended:
            with self._lock:
                self._running.pop(folded.job.id, None)
            self.ended.keep(*folded.numbered())
        elif not self.attendance.is_visible:
            folded.end_reading()

    def listed(self) -> tuple[list[Job], bool]:
        """The newest jobs, and whether there are more; pages hear of those that came and went."""
        found = self.in_cloud()
        if platform_has_begun():
            try:
                with only_looking():
                    # Jobs may go to the cloud from here too.
                    each = {job.last_seen.resource_name: job for job in [*found, *jobs_here(MOST_LISTED + 1)]}
                    found = sorted(each.values(), key=lambda job: -job.last_seen.created)
            except CloudMLError:
                # What is in the cloud can be shown while nothing answers here.
                if not found:
                    raise
        shown, more = found[:MOST_LISTED], len(found) > MOST_LISTED
        self._listed = time.monotonic()
        self._compare(shown, more)
        return shown, more

    def in_cloud(self) -> list[Job]:
        """The jobs that were sent to the cloud from here."""
        return self.cloud.listed(_signature())

    def note_trouble(self, job: Job, problem: Exception) -> None:
        """Writes into the server's log, once for each job, why it cannot be shown."""
        if job.id in self._troubled or len(self._troubled) >= _MOST_TROUBLED:
            return
        self._troubled.add(job.id)
        self._log.error("Job %s cannot be followed; its card shows what the platform says.", job.id, exc_info=problem)

    def forget(self, job_id: str) -> None:
        """The job is deleted."""
        with self._lock:
            folded = self._running.pop(job_id, None)
        if folded:
            folded.end_reading()
        self.ended.forget(job_id)
        self._tell([job_id])

    def _run(self) -> None:
        while not self._is_stopped:
            pause: float | None = None
            if self.attendance.is_open:
                pause = self._step()
            else:
                self._rest()
            self._wake.wait(pause)
            self._wake.clear()

    def _step(self) -> float:
        self._attended_file.touch()
        if not self.attendance.is_visible:
            self._rest()
            return _HIDDEN_SECONDS
        try:
            with only_looking():
                self._look()
        except CloudMLError:
            # A platform that does not answer is no reason to stop; pages are told when they ask.
            pass
        except Exception as problem:
            self._log.error("Jobs could not be looked at; it is tried again.", exc_info=problem)
        with self._lock:
            followed = list(self._running.values())
        self._beat.follow(sum(folded.is_running for folded in followed))
        has_more = [self._advance(folded) for folded in followed]
        self._heartbeat.beat(bool(followed))
        return _BUSY_SECONDS if any(has_more) and self._beat.is_quick else _QUIET_SECONDS

    def _advance(self, folded: FoldedJob) -> bool:
        """Sends what is due of one job; whether it has more to send. Its trouble is not that of the others."""
        try:
            has_more = folded.publish_when_due()
            if folded.has_ended:
                self.settle(folded)
            return has_more
        except Exception as problem:
            self.note_trouble(folded.job, problem)
            return False

    def _look(self) -> None:
        signature = _signature()
        if signature != self._ledger:
            self._ledger = signature
            self._take_submissions()
        if time.monotonic() - self._listed >= _LIST_SECONDS:
            self._listed = time.monotonic()
            for job in self.listed()[0]:
                self._follow(job)

    def _take_submissions(self) -> None:
        """Jobs that this user has just sent, from whichever kernel: no need to ask for all."""
        if self._known is None:
            return
        for submission in ledger().latest()[:_LATEST_SUBMISSIONS]:
            job_id = (submission.resource_name or "").rpartition("/")[2]
            if not job_id or job_id in self._known:
                continue
            with contextlib.suppress(CloudMLError):
                self._follow(job_of_id(job_id))
                self._known |= {job_id}
                self._tell([job_id])

    def _follow(self, job: Job) -> None:
        if not job.last_seen.state.is_final or self.known_running(job.id):
            self.read(self.running(job))

    def _compare(self, shown: Sequence[Job], more: bool) -> None:
        there = frozenset(job.id for job in shown)
        before, self._known = self._known, there
        if not more:
            self.ended.forget_others(there)
            with self._lock:
                gone = [self._running.pop(job_id) for job_id in list(self._running) if job_id not in there]
            for folded in gone:
                folded.end_reading()
        if before is not None:
            self._tell(sorted(there ^ before))

    def _tell(self, changed: Sequence[str]) -> None:
        if changed:
            self._heartbeat.send(JOBS, {"session": self.session, "jobs": list(changed)})

    def _rest(self) -> None:
        with self._lock:
            followed = list(self._running.values())
        for folded in followed:
            folded.end_reading()


def _signature() -> tuple[object, ...]:
    """What changes when a line of the ledger does; SQLite writes beside the file first."""
    file = ledger_file()
    found: list[object] = [str(file)]
    for each in (file, file.with_name(f"{file.name}-wal")):
        with contextlib.suppress(OSError):
            status = each.stat()
            found += [each.name, status.st_mtime_ns, status.st_size, status.st_ino]
    return tuple(found)
