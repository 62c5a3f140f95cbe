"""One job that runs, folded from its events; its documents are numbered, and what lies between two is pushed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from cloudml_magic.cards.job import JobView, document
from cloudml_magic.client import Reading
from cloudml_magic.connection import only_looking
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline import Job
from cloudml_magic.pipeline.progress import LOG_LINES, JobProgress
from cloudml_magic.records import JobEvent, JobOrigin, JobSnapshot
from cloudml_magic.server_extension.following.deltas import changes, delta, is_nothing

Send = Callable[[dict[str, Any]], None]
THROTTLE_SECONDS = 0.15
_QUIET_SECONDS = 0.1
_LONGEST_CATCHING_UP = 5.0
_STEP_SECONDS = 0.01


class FoldedJob:
    """A job's events so far. Each document that is handed out has a number; deltas lead from it to those after it."""

    def __init__(self, job: Job, session: str, send: Send) -> None:
        self.job = job
        self._session = session
        self._send = send
        self._lock = threading.RLock()
        self._caught_up = threading.Event()
        self._reading: Reading | None = None
        self._snapshot = job.last_seen
        self._progress = _begun(self._snapshot)
        self._origin: JobOrigin | None = None
        self._problem: CloudMLError | None = None
        self._heard: float | None = None
        self._published = 0.0
        self._changed = False
        self._view: JobView | None = None
        self.seq = 0
        self.has_ended = False

    @property
    def is_read(self) -> bool:
        """Whether a thread reads its events now."""
        return self._reading is not None

    def look(self, snapshot: JobSnapshot) -> None:
        """Takes what a list said of a job whose events nobody reads."""
        with self._lock:
            if self._reading is None and self._view is None:
                self._snapshot, self._progress = snapshot, _begun(snapshot)
                self._caught_up.set()

    def begin_reading(self) -> None:
        """Reads its events in a thread until it has ended, unless one does so."""
        with self._lock:
            if self._reading is not None or self.has_ended:
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
            self._publish(time.time())
            assert self._view is not None
            return self.seq, self._view

    def publish_when_due(self) -> bool:
        """Sends what has gathered once the pause is over; whether something is left to send."""
        with self._lock:
            now = time.monotonic()
            if not self._caught_up.is_set() and self._heard and now - self._heard >= _QUIET_SECONDS:
                # What was replayed has come to its end.
                self._caught_up.set()
            if self._changed and self._caught_up.is_set() and now - self._published >= THROTTLE_SECONDS:
                self._publish(time.time())
            return self._changed or not self._caught_up.is_set()

    def _read(self, reading: Reading) -> None:
        try:
            with only_looking():
                if self._origin is None:
                    self._origin = self.job.origin
                self._follow(reading)
        except CloudMLError as problem:
            # The platform was stopped, or the job deleted; who asks next is told so.
            self._problem = problem
        except Exception as problem:
            # A reader must not die silently.
            self._problem = CloudMLError(
                "platform-failed",
                f"Job {self.job.name} cannot be followed.",
                why=f"{type(problem).__name__}: {problem}"[:300],
                next="Reload the page; the job goes on.",
            )
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
        self._progress.apply(event)
        now = time.monotonic()
        self._changed, self._heard = True, now
        if not self._caught_up.is_set() and event.kind != "state" and event.time >= began:
            self._caught_up.set()
        if self._caught_up.is_set() and now - self._published >= THROTTLE_SECONDS:
            self._publish(time.time())

    def _publish(self, now: float) -> None:
        """Pushes what has changed since the last document, and keeps that of now as the last one."""
        before = self._view
        after = JobView.of(self._snapshot, self._progress, now, self._origin or JobOrigin())
        self._changed = False
        if before is not None:
            told = changes(before, after)
            if told is None:
                # A number that is left out tells every page to ask for the whole.
                self.seq += 1
                told = {"set": {"updated_at": after.updated, "state": after.state.value}, "points": [], "log": []}
            elif is_nothing(told):
                return
            self.seq += 1
            self._send(delta(self._session, self.job.id, self.seq, told))
        self._view = after
        self._published = time.monotonic()


def folded(job: Job) -> JobView:
    """A job that has ended, read from its beginning to its end."""
    snapshot = job.snapshot()
    progress = _begun(snapshot)
    for event in job.watch(log_tail=LOG_LINES):
        progress.apply(event)
    return JobView.of(snapshot, progress, time.time(), job.origin)


def numbered_document(seq: int, view: JobView) -> dict[str, Any]:
    """As the routes answer it."""
    return {"seq": seq, "document": document(view)}


def _begun(snapshot: JobSnapshot) -> JobProgress:
    """What the platform says, before the first event."""
    return JobProgress(
        state=snapshot.state, created=snapshot.created or None, started=snapshot.started, ended=snapshot.ended
    )
