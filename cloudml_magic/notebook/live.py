"""Keeps cards up to date while the user works in other cells: one reader per job, one painter for all cards."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, ClassVar
from weakref import WeakSet, WeakValueDictionary

from cloudml_magic.cards.job import JobView, bundle
from cloudml_magic.cards.job.lines import line_of
from cloudml_magic.errors import CloudMLError
from cloudml_magic.patience import said_once
from cloudml_magic.pipeline import Job
from cloudml_magic.pipeline.progress import LOG_LINES, JobProgress
from cloudml_magic.places import lab_attended_file
from cloudml_magic.records import JobEvent, JobOrigin, JobSnapshot, Target
from cloudml_magic.states import JobState

_REDRAW_SECONDS = 0.2
_LOOK_SECONDS = 1.0
# A hidden page says every minute that it is open.
_ATTENDED_SECONDS = 150.0
_CLOCK_SECONDS = 5.0


class Card:
    """One display of one job, wherever it was put; all representations are replaced at every update."""

    def __init__(self, snapshot: JobSnapshot) -> None:
        self._snapshot = snapshot
        self._progress = JobProgress(state=snapshot.state, created=snapshot.created or None)
        self._origin = JobOrigin()
        self._lock = threading.Lock()
        # Drawings go out in the order in which they were made: else a slow one could come to lie over the last.
        self._drawing = threading.Lock()
        self._display_id = uuid.uuid4().hex
        self._changed = True
        self._drawn = 0.0
        self._drawn_as: tuple[str, JobState | None] = ("", None)

    def show(self) -> None:
        """Puts the card under the cell that runs now."""
        from IPython.display import display

        self._changed, self._drawn = False, time.monotonic()
        display(bundle(self._view()), raw=True, display_id=self._display_id)

    def belongs_to(self, snapshot: JobSnapshot) -> None:
        """Says which job the card is about, once it has been accepted."""
        with self._lock:
            self._snapshot = snapshot
            self._changed = True

    def comes_from(self, origin: JobOrigin) -> None:
        """Says where the job was sent from."""
        with self._lock:
            self._origin = origin
            self._changed = True

    def apply(self, event: JobEvent) -> None:
        """Takes in an event; the painter shows it."""
        with self._lock:
            self._progress.apply(event)
            self._changed = True

    def say(self, note: str) -> None:
        """Shows a word beside the state."""
        with self._lock:
            self._progress.note = note
            self._changed = True

    def withdraw(self) -> None:
        """Empties the display: the job was not sent, and the error below says why."""
        from IPython.display import update_display

        update_display({"text/plain": "", "text/html": ""}, raw=True, display_id=self._display_id)

    def is_due(self, page_draws: bool = False) -> bool:
        """Whether something changed, or the elapsed time has moved on visibly.

        Where the page draws the card by itself, only what it starts from is brought: the job's id and each new state.
        """
        idle = time.monotonic() - self._drawn
        if page_draws:
            return self._stands_as() != self._drawn_as and idle >= _REDRAW_SECONDS
        if self._changed:
            return idle >= _REDRAW_SECONDS
        began = self._progress.started or self._progress.created or time.time()
        return not self._progress.state.is_final and idle >= max(1.0, (time.time() - began) / 50)

    def redraw(self) -> None:
        """Replaces the display, with all that is known now."""
        from IPython.display import update_display

        with self._drawing:
            with self._lock:
                self._changed, self._drawn = False, time.monotonic()
                self._drawn_as = self._stands_as()
                content = bundle(self._view())
            update_display(content, raw=True, display_id=self._display_id)

    def _stands_as(self) -> tuple[str, JobState | None]:
        return self._snapshot.id, self._progress.state

    def _view(self) -> JobView:
        return JobView.of(self._snapshot, self._progress, time.time(), self._origin)


class TextCard:
    """A card for a terminal: one line per state change and per epoch, from the card that was asked for last."""

    _speaking: ClassVar[WeakValueDictionary[str, TextCard]] = WeakValueDictionary()

    def __init__(self, snapshot: JobSnapshot, write: Callable[[str], None] = print) -> None:
        self._snapshot = snapshot
        self._progress = JobProgress(state=snapshot.state, created=snapshot.created or None)
        self._write = write
        self._note = said_once(write)
        self._shown: tuple[object, ...] = ()

    def show(self) -> None:
        """Nothing to show before the first event."""

    def belongs_to(self, snapshot: JobSnapshot) -> None:
        self._snapshot = snapshot
        self._speaking[snapshot.id] = self

    def comes_from(self, origin: JobOrigin) -> None:
        """A line of a terminal does not say it."""

    def apply(self, event: JobEvent) -> None:
        self._progress.apply(event)
        if self._speaking.get(self._snapshot.id, self) is not self:
            return
        line = line_of(event, JobView.of(self._snapshot, self._progress, time.time()))
        if line and (line, event.kind) != self._shown:
            self._shown = (line, event.kind)
            self._write(line)

    def say(self, note: str) -> None:
        self._note(f"{self._snapshot.name} · {note}")

    def withdraw(self) -> None:
        """Nothing was written yet."""

    def is_due(self, page_draws: bool = False) -> bool:
        return False

    def redraw(self) -> None:
        """Lines are written as events come."""


AnyCard = Card | TextCard


def new_card(shell: Any, snapshot: JobSnapshot) -> AnyCard:
    """A card that fits the front end: rich where a kernel can update it, lines in a terminal."""
    return Card(snapshot) if hasattr(shell, "kernel") else TextCard(snapshot)


def placeholder(name: str, now: float) -> JobSnapshot:
    """What is known of a job that is being sent."""
    return JobSnapshot(
        id="", resource_name="", name=name, state=JobState.QUEUED, target=Target.LOCAL, folder="", created=now
    )


def follow(card: AnyCard, job: Job) -> None:
    """Keeps a card up to date until its job has ended, in the background."""
    card.belongs_to(job.snapshot())
    _PAINTER.add(card)
    reader = threading.Thread(target=_read, args=(card, job), name=f"cloudml-{job.id}", daemon=True)
    _READERS.setdefault(job.id, WeakSet()).add(reader)
    reader.start()


def wait_for_cards(job: Job, seconds: float) -> None:
    """Waits, no longer than this, until every card of a job that has ended shows its end."""
    deadline = time.monotonic() + seconds
    for reader in list(_READERS.get(job.id, ())):
        reader.join(max(0.0, deadline - time.monotonic()))


def show_job(shell: Any, job: Job) -> None:
    """Puts a card for a job under the cell that runs now, and follows it."""
    card = new_card(shell, job.snapshot())
    card.show()
    follow(card, job)


def finish(card: AnyCard) -> None:
    """Draws a card for the last time."""
    _PAINTER.remove(card)
    with contextlib.suppress(Exception):
        card.redraw()


def _read(card: AnyCard, job: Job) -> None:
    try:
        card.comes_from(job.origin)
        shown = job.id
        for event in job.watch(log_tail=LOG_LINES):
            if job.id != shown:
                # It went to another region, where it has another id.
                shown = job.id
                card.belongs_to(job.last_seen)
            card.apply(event)
    except CloudMLError as error:
        card.say(error.what)
    except Exception as problem:
        # A reader must not die silently: the card says why it stands still.
        card.say(f"no longer followed: {type(problem).__name__}")
    finally:
        finish(card)


def is_page_open() -> bool:
    """Whether a page of the server that started this kernel is open: what it draws itself need not travel from here."""
    session = os.environ.get("CLOUDML_LAB")
    if not session:
        return False
    try:
        # A time in the future is that of a clock that was set back since, and says nothing.
        return -_CLOCK_SECONDS <= time.time() - lab_attended_file(session).stat().st_mtime < _ATTENDED_SECONDS
    except OSError:
        return False


class _Painter:
    """Redraws what is due, at most five times a second for each card; its thread ends when no card is left."""

    def __init__(self) -> None:
        self._cards: list[AnyCard] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, card: AnyCard) -> None:
        with self._lock:
            self._cards.append(card)
            if self._thread is None:
                self._thread = threading.Thread(target=self._paint, name="cloudml-painter", daemon=True)
                self._thread.start()

    def remove(self, card: AnyCard) -> None:
        with self._lock, contextlib.suppress(ValueError):
            self._cards.remove(card)

    def _paint(self) -> None:
        looked, page_draws = float("-inf"), False
        while True:
            time.sleep(_REDRAW_SECONDS / 2)
            if time.monotonic() - looked > _LOOK_SECONDS:
                looked, page_draws = time.monotonic(), is_page_open()
            with self._lock:
                cards = list(self._cards)
                if not cards:
                    self._thread = None
                    return
            for card in cards:
                if card.is_due(page_draws):
                    with contextlib.suppress(Exception):
                        card.redraw()


_PAINTER = _Painter()
_READERS: dict[str, WeakSet[threading.Thread]] = {}
