"""One job that runs, folded from its events; its documents are numbered, and what lies between two is pushed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cloudml_magic.cards.job import JobView
from cloudml_magic.client import Reading
from cloudml_magic.connection import only_looking
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline import Job
from cloudml_magic.pipeline.progress import LOG_LINES, JobProgress
from cloudml_magic.records import JobEvent, JobOrigin, JobSnapshot, Price
from cloudml_magic.server_extension.following.beat import Beat
from cloudml_magic.server_extension.following.deltas import Moment, changes, delta, is_nothing
from cloudml_magic.states import JobState

Send = Callable[[dict[str, Any]], None]
OnTrouble = Callable[[Exception], None]
PLATFORM_GONE = ("platform-stopped", "platform-unreachable", "platform-start-slow")
_QUIET_SECONDS = 0.1
_LONGEST_CATCHING_UP = 5.0
_STEP_SECONDS = 0.01
_UNFOLLOWED = "What this job reports cannot be shown; this is what the platform says of it."


class FoldedJob:
    """A job's events so far. Each document that is handed out has a number; deltas lead from it to those after it."""

    def __init__(self, job: Job, session: str, send: Send, on_trouble: OnTrouble, beat: Beat | None = None) -> None:
        self.job = job
        self._beat = beat or Beat()
        self._session = session
        self._send = send
        self._on_trouble = on_trouble
        self._lock = threading.RLock()
        self._caught_up = threading.Event()
        self._reading: Reading | None = None
        self._snapshot = job.last_seen
        self._progress = _begun(self._snapshot)
        self._origin: JobOrigin | None = None
        self._problem: CloudMLError | None = None
        self.is_given_up = False
        self._heard: float | None = None
        self._published = 0.0
        self._changed = False
        self._moment: Moment | None = None
        self.seq = 0
        self.has_ended = False

    @property
    def is_read(self) -> bool:
        """Whether a thread reads its events now."""
        return self._reading is not None

    @property
    def is_running(self) -> bool:
        """Whether it is read and may say something at any moment."""
        return self._reading is not None and self._progress.state is JobState.RUNNING

    def look(self, snapshot: JobSnapshot) -> None:
        """Takes what a list said of a job whose events nobody reads."""
        with self._lock:
            if self.is_given_up:
                self._fall_back(snapshot)
            elif self._reading is None and self._moment is None:
                self._snapshot, self._progress = snapshot, _begun(snapshot)
                self._caught_up.set()

    def begin_reading(self) -> None:
        """Reads its events in a thread until it has ended, unless one does so."""
        with self._lock:
            if self._reading is not None or self.has_ended or self.is_given_up:
                return
            self._reading, self._heard, self._problem = Reading(), None, None
            self._caught_up.clear()
            name = f"cloudml-follow-{self.job.id}"
            threading.Thread(target=self._read, args=(self._reading,), name=name, daemon=True).start()

    def end_reading(self) -> None:
        """Lets the reader go at once; what is folded stays."""
        with self._lock:
            reading = self._reading
        if reading is not None:
            reading.end()

    def numbered(self) -> tuple[int, JobView]:
        """The job as it is now, and the number of the delta that leads to it."""
        deadline = time.monotonic() + _LONGEST_CATCHING_UP
        while not self._caught_up.wait(_STEP_SECONDS) and time.monotonic() < deadline:
            self.publish_when_due()
        with self._lock:
            if self._problem is not None:
                raise self._problem
            try:
                return self._numbered(time.time())
            except Exception as problem:
                self._give_up(problem)
                return self._numbered(time.time())

    def publish_when_due(self) -> bool:
        """Sends what has gathered once the pause is over; whether something is left to send."""
        with self._lock:
            now = time.monotonic()
            if not self._caught_up.is_set() and self._heard and now - self._heard >= _QUIET_SECONDS:
                # What was replayed has come to its end.
                self._caught_up.set()
            if self._changed and self._caught_up.is_set() and self._beat.is_due(now, self._published):
                try:
                    self._publish(time.time())
                except Exception as problem:
                    self._give_up(problem)
            return self._changed or not self._caught_up.is_set()

    def _give_up(self, problem: Exception) -> None:
        """What it reports cannot be shown: from now on it is what the platform says of it."""
        with self._lock:
            if not self.is_given_up:
                self._on_trouble(problem)
            self.is_given_up = True
            self._fall_back(self._snapshot)
            self.end_reading()

    @property
    def price(self) -> Price | None:
        """What an hour of it costs, as far as its origin was read and says it."""
        return None if self._origin is None else self._origin.price

    def _fall_back(self, snapshot: JobSnapshot) -> None:
        self._snapshot, self._progress = snapshot, _unfollowed(snapshot)
        self._changed, self.has_ended = True, snapshot.state.is_final
        self._caught_up.set()

    def _numbered(self, now: float) -> tuple[int, JobView]:
        self._publish(now)
        return self.seq, JobView.of(self._snapshot, self._progress, now, self._origin or JobOrigin())

    def _read(self, reading: Reading) -> None:
        try:
            with only_looking():
                if self._origin is None:
                    self._origin = self.job.origin
                self._follow(reading)
        except CloudMLError as problem:
            if problem.reference in (*PLATFORM_GONE, "not-found"):
                # The platform was stopped, or the job deleted; who asks next is told so.
                self._problem = problem
            else:
                self._give_up(problem)
        except Exception as problem:
            self._give_up(problem)
        finally:
            with self._lock:
                self._reading = None
                self._caught_up.set()

    def _follow(self, reading: Reading) -> None:
        snapshot = self.job.snapshot()
        with self._lock:
            self._snapshot, self._progress = snapshot, _begun(snapshot)
        began = time.time()
        for event in self.job.watch(log_tail=LOG_LINES, reading=reading):
            with self._lock:
                self._take(event, began)
        if not reading.is_ended:
            snapshot = self.job.snapshot()
            with self._lock:
                self._snapshot, self.has_ended = snapshot, True
                self._publish(time.time())

    def _take(self, event: JobEvent, began: float) -> None:
        if self.is_given_up:
            return
        self._progress.apply(event)
        now = time.monotonic()
        self._changed, self._heard = True, now
        if not self._caught_up.is_set() and event.kind != "state" and event.time >= began:
            self._caught_up.set()
        if self._caught_up.is_set() and self._beat.is_quick and self._beat.is_due(now, self._published):
            self._publish(time.time())

    def _publish(self, now: float) -> None:
        """Pushes what has changed since the last document, and keeps that of now as the last one."""
        before = self._moment
        after = Moment.of(self._snapshot, self._progress, now, self._origin or JobOrigin())
        self._changed = False
        if before is not None:
            told = changes(before, after)
            if told is None:
                # A number that is left out tells every page to ask for the whole.
                self.seq += 1
                kept = {name: after.document[name] for name in ("updated_at", "state")}
                told = {"set": kept, "points": [], "log": []}
            elif is_nothing(told):
                return
            self.seq += 1
            self._send(delta(self._session, self.job.id, self.seq, told))
        self._moment = after
        self._published = time.monotonic()


def folded(job: Job) -> JobView:
    """A job that has ended, read from its beginning to its end."""
    snapshot = job.snapshot()
    progress = _begun(snapshot)
    for event in job.watch(log_tail=LOG_LINES):
        progress.apply(event)
    return JobView.of(snapshot, progress, time.time(), job.origin)


def unfollowed(snapshot: JobSnapshot) -> JobView:
    """A job whose own report cannot be shown, as the platform knows it."""
    return JobView.of(snapshot, _unfollowed(snapshot), time.time())


def is_unfollowed(view: JobView) -> bool:
    """Whether a view is only what the platform says."""
    return _UNFOLLOWED in view.warnings


def _unfollowed(snapshot: JobSnapshot) -> JobProgress:
    return replace(_begun(snapshot), warnings=[_UNFOLLOWED])


def _begun(snapshot: JobSnapshot) -> JobProgress:
    """What the platform says, before the first event."""
    return JobProgress(
        state=snapshot.state, created=snapshot.created or None, started=snapshot.started, ended=snapshot.ended
    )
