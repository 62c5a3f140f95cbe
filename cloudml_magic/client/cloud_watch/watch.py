"""One thread asks for all jobs that are followed: their states together, their logs together, their reports in turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Protocol

from cloudml_magic.client.calls import LostReplyError
from cloudml_magic.client.cloud_watch.followed_job import FollowedJob
from cloudml_magic.client.cloud_watch.pace import Pace
from cloudml_magic.client.cloud_watch.reader import Reader
from cloudml_magic.client.watching import Reading
from cloudml_magic.dialects.logging_v2 import LogEntry
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import JobEvent, JobSnapshot
from cloudml_magic.storage import Growth, ReadSoFar

_REPORTS_A_ROUND = 3
_TAILS_A_ROUND = 2
_WAKE_SECONDS = 0.5
_REFUSED_SECONDS = 10.0
_NO_LOGS = "What the job prints cannot be read: you lack the role Logs Viewer (roles/logging.viewer)."

_Question = tuple[str, Callable[[], None]]
"""What it is about, and how it is asked."""


class Questions(Protocol):
    """What the watch asks of a place, each question once and not again; one is one call where nothing else is said."""

    def states(self, jobs: list[JobSnapshot], spend: Callable[[], None]) -> dict[str, JobSnapshot | CloudMLError]:
        """How jobs stand now, by resource name, or why that cannot be said of one; says each call after the first."""

    def log_tail(self, job: JobSnapshot) -> tuple[list[LogEntry], bool]:
        """What a job printed last, oldest first, and whether it had printed more before."""

    def log_since(self, jobs: list[JobSnapshot], since: float) -> tuple[list[LogEntry], bool]:
        """What jobs printed from a moment on, oldest first, and whether more waits."""

    def report(self, job: JobSnapshot, known: ReadSoFar | None) -> Growth | None:
        """What came of a job's report, or None if it is still what is known or there is none."""


class CloudWatch:
    """The watch of a place that has to be asked."""

    def __init__(self, questions: Questions, pace: Pace | None = None) -> None:
        self._ask = questions
        self._pace = pace or Pace()
        self._news = threading.Condition()
        self._followed: dict[str, FollowedJob] = {}
        self._thread: threading.Thread | None = None
        self._log_refused = ""

    def follow(self, job: JobSnapshot, log_tail: int | None, reading: Reading) -> Iterator[JobEvent]:
        """What a job reports, from its beginning until it has ended, or until the reading is ended."""
        followed = self._begin(job)
        try:
            yield from self._told(followed, log_tail, reading)
        finally:
            self._end(followed)

    def _told(self, followed: FollowedJob, log_tail: int | None, reading: Reading) -> Iterator[JobEvent]:
        reader = Reader(followed, log_tail)
        while not reading.is_ended:
            with self._news:
                found = reader.news(log_is_readable=not self._log_refused)
                ended, gone = followed.is_ended, followed.gone
                if not found and not ended:
                    self._news.wait(_WAKE_SECONDS)
            yield from found
            if gone is not None:
                raise gone
            if ended:
                return

    # --- who follows ---

    def _begin(self, job: JobSnapshot) -> FollowedJob:
        with self._news:
            followed = self._followed.setdefault(job.resource_name, FollowedJob(job))
            followed.readers += 1
            if self._log_refused:
                followed.notes["log refused"] = self._log_refused
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="cloudml-watch", daemon=True)
                self._thread.start()
            return followed

    def _end(self, followed: FollowedJob) -> None:
        with self._news:
            followed.readers -= 1
            if not followed.readers:
                self._followed.pop(followed.snapshot.resource_name, None)

    def _open(self) -> list[FollowedJob]:
        with self._news:
            return [each for each in self._followed.values() if not each.is_ended]

    # --- the thread that asks ---

    def _run(self) -> None:
        waiting: list[_Question] = []
        turn = 0
        while True:
            with self._news:
                if not self._followed:
                    # Whoever follows later may have got the right to read logs meanwhile.
                    self._log_refused = ""
                    self._thread = None
                    return
            if not waiting:
                waiting, turn = self._round(turn)
            pause = self._pace.due()
            if pause > 0 or not waiting:
                with self._news:
                    self._news.wait(min(pause or _WAKE_SECONDS, _WAKE_SECONDS))
                continue
            self._pace.spend()
            self._put(*waiting.pop(0))

    def _put(self, about: str, ask: Callable[[], None]) -> None:
        try:
            ask()
        except LostReplyError as lost:
            wait = self._pace.refused(lost.wait)
            self._say(about, f"{lost.error.why or lost.error.what} Looking again in {wait:.0f} s.")
        except CloudMLError as error:
            self._pace.refused(_REFUSED_SECONDS)
            self._say(about, f"{error.what} {error.next}")
        except Exception as problem:
            # Without this thread every card would keep silent for ever.
            self._pace.refused(_REFUSED_SECONDS)
            self._say(about, f"The watch met {type(problem).__name__}: {problem}")
        else:
            self._pace.answered()
            self._say(about, "")

    def _round(self, turn: int) -> tuple[list[_Question], int]:
        """States and logs of all jobs, and the reports of the next few."""
        jobs = self._open()
        if not jobs:
            return [], turn
        asked: list[_Question] = [("states", self._look_at_states)]
        if not self._log_refused:
            asked += [("log", self._looking_at_tail(job)) for job in jobs if not job.has_log][:_TAILS_A_ROUND]
            if any(job.has_log for job in jobs):
                asked.append(("log", self._look_at_logs))
        next_ones = [jobs[(turn + number) % len(jobs)] for number in range(min(_REPORTS_A_ROUND, len(jobs)))]
        asked += [("report", self._looking_at_report(job)) for job in next_ones]
        return asked, turn + len(next_ones)

    def _look_at_states(self) -> None:
        jobs = self._open()
        found = self._ask.states([job.snapshot for job in jobs], self._pace.spend)
        with self._news:
            for job in jobs:
                now = found.get(job.snapshot.resource_name)
                if isinstance(now, JobSnapshot):
                    job.snapshot = now
                else:
                    job.gone = now
            self._settle()

    def _looking_at_tail(self, job: FollowedJob) -> Callable[[], None]:
        return lambda: self._take_log([job], lambda: (self._ask.log_tail(job.snapshot)[0], False))

    def _look_at_logs(self) -> None:
        jobs = [job for job in self._open() if job.has_log]
        if jobs:
            since = min(job.log_since for job in jobs)
            self._take_log(jobs, lambda: self._ask.log_since([job.snapshot for job in jobs], since))

    def _take_log(self, jobs: list[FollowedJob], look: Callable[[], tuple[list[LogEntry], bool]]) -> None:
        try:
            entries, is_cut = look()
        except CloudMLError as error:
            if error.reference != "permission-denied":
                raise
            # Who may not read logs still sees states and reports.
            self._log_refused = _NO_LOGS
            self._say("log refused", _NO_LOGS)
            entries, is_cut = [], False
        until = max((entry.time for entry in entries), default=None)
        with self._news:
            for job in jobs:
                mine = [entry for entry in entries if entry.job_id == job.snapshot.id]
                job.take_log(mine, until, is_cut=is_cut)
            self._settle()

    def _looking_at_report(self, job: FollowedJob) -> Callable[[], None]:
        def look() -> None:
            found = self._ask.report(job.snapshot, job.reported)
            with self._news:
                if found is not None:
                    job.take_report(found)
                job.report_was_read()
                self._settle()

        return look

    def _settle(self) -> None:
        for job in self._followed.values():
            job.settle(log_is_readable=not self._log_refused)
        self._news.notify_all()

    def _say(self, about: str, note: str) -> None:
        with self._news:
            for job in self._followed.values():
                job.notes[about] = note
            self._news.notify_all()
