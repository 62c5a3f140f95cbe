"""Cards that live: how often they are drawn, and that they end with their job."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.notebook import live
from cloudml_magic.places import lab_attended_file
from cloudml_magic.records import JobEvent, JobOrigin, JobSnapshot, Target
from cloudml_magic.states import JobState

SNAPSHOT = JobSnapshot("1", "jobs/1", "digits", JobState.RUNNING, Target.LOCAL, "", created=time.time())


class Front:
    """What a front end would receive: the displays and when they came."""

    def __init__(self) -> None:
        self.received: list[tuple[float, dict[str, Any]]] = []
        self._lock = threading.Lock()

    def take(self, data: dict[str, Any], **_: object) -> None:
        with self._lock:
            self.received.append((time.monotonic(), data))


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch) -> Front:
    front = Front()
    monkeypatch.setattr("IPython.display.display", front.take)
    monkeypatch.setattr("IPython.display.update_display", front.take)
    return front


class Reporting:
    """A job whose events come at a pace."""

    id = "1"
    origin = JobOrigin()

    def __init__(self, events: int, pause: float) -> None:
        self._events, self._pause = events, pause

    def snapshot(self) -> JobSnapshot:
        return SNAPSHOT

    def watch(self, *, log_tail: int | None = None) -> Iterator[JobEvent]:
        yield JobEvent("state", time.time(), {"state": "RUNNING"})
        for number in range(self._events):
            time.sleep(self._pause)
            yield JobEvent("metric", time.time(), {"step": number, "metrics": {"loss": number}})
        yield JobEvent("state", time.time(), {"state": "SUCCEEDED"})


def wait_for_the_end(front: Front) -> None:
    deadline = time.monotonic() + 10
    time.sleep(0.3)
    while "SUCCEEDED" not in front.received[-1][1]["text/plain"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_flood_of_events_redraws_at_most_five_times_a_second(front: Front) -> None:
    """Hundreds of events a second cost five drawings, and the last one is the end."""
    card = live.Card(SNAPSHOT)
    card.show()
    began = time.monotonic()
    live.follow(card, Reporting(600, 0.003))  # type: ignore[arg-type]
    wait_for_the_end(front)
    took = time.monotonic() - began
    assert len(front.received) <= 5 * took + 3
    assert "599" in front.received[-1][1]["text/plain"]


def test_an_event_is_shown_within_half_a_second(front: Front) -> None:
    """What comes after a quiet time is drawn at once."""
    card = live.Card(SNAPSHOT)
    card.show()
    time.sleep(0.3)
    live.follow(card, Reporting(1, 0.5))  # type: ignore[arg-type]
    wait_for_the_end(front)
    shown = next(moment for moment, data in front.received if "loss" in data["text/plain"])
    end = front.received[-1][0]
    assert shown <= end
    assert end - front.received[0][0] < 2.0


def test_where_an_open_page_draws_the_card_only_states_travel(
    front: Front, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    """A page with the lab extension hears of everything else from its server; a closed one says nothing any more."""
    monkeypatch.setenv("CLOUDML_LAB", "this")
    attended = lab_attended_file("this")
    attended.parent.mkdir(parents=True)
    attended.touch()
    card = live.Card(live.placeholder("digits", time.time()))
    card.show()
    live.follow(card, Reporting(60, 0.02))  # type: ignore[arg-type]
    wait_for_the_end(front)
    assert 2 <= len(front.received) <= 4
    states = [data["application/vnd.cloudml.job+json"]["state"] for _, data in front.received]
    assert (states[0], states[-1]) == ("QUEUED", "SUCCEEDED")
    past = time.time() - 200
    os.utime(attended, (past, past))
    drawn = len(front.received)
    again = live.Card(SNAPSHOT)
    again.show()
    live.follow(again, Reporting(60, 0.02))  # type: ignore[arg-type]
    wait_for_the_end(front)
    assert len(front.received) > drawn + 4


def test_a_slow_drawing_does_not_come_to_lie_over_the_last_one(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """The painter may be held up between making a drawing and sending it, while the job ends."""

    def slow(data: dict[str, Any], **_: object) -> None:
        if "RUNNING" in data["text/plain"]:
            time.sleep(1)
        front.take(data)

    monkeypatch.setattr("IPython.display.update_display", slow)
    card, job = live.Card(SNAPSHOT), Reporting(2, 0.3)
    card.show()
    live.follow(card, job)  # type: ignore[arg-type]
    live.wait_for_cards(job, 10)  # type: ignore[arg-type]
    time.sleep(1.2)
    assert "SUCCEEDED" in front.received[-1][1]["text/plain"]


def test_whoever_waits_for_a_job_waits_for_every_card_of_it(front: Front) -> None:
    """Else a saved notebook could show a job that runs; a card that hangs holds nobody up for ever."""
    job = Reporting(1, 2.0)
    cards = [live.Card(SNAPSHOT), live.Card(SNAPSHOT)]
    for card in cards:
        live.follow(card, job)  # type: ignore[arg-type]
    began = time.monotonic()
    live.wait_for_cards(job, 0.1)  # type: ignore[arg-type]
    assert time.monotonic() - began < 1.9
    live.wait_for_cards(job, 10)  # type: ignore[arg-type]
    assert [card._progress.state for card in cards] == [JobState.SUCCEEDED] * 2
    assert sum("SUCCEEDED" in data["text/plain"] for _, data in front.received) >= 2


@pytest.mark.parametrize(
    ("session", "age", "is_open"),
    [("this", 0, True), ("this", 140, True), ("this", 160, False), ("this", -2, True), ("this", -60, False),
     ("other", 0, False), ("", 0, False)],
)  # fmt: skip
def test_only_a_page_of_this_kernels_own_server_draws_its_cards(
    monkeypatch: pytest.MonkeyPatch, home: Path, session: str, age: float, is_open: bool
) -> None:
    """Another server's page does not, nor does one whose last word is of a time to come."""
    monkeypatch.setenv("CLOUDML_LAB", session)
    attended = lab_attended_file("this")
    attended.parent.mkdir(parents=True)
    attended.touch()
    os.utime(attended, (time.time() - age, time.time() - age))
    assert live.is_page_open() is is_open


def test_a_card_that_was_not_sent_is_emptied(front: Front) -> None:
    """The error below says why; no dead card stays."""
    card = live.Card(live.placeholder("digits", time.time()))
    card.show()
    card.withdraw()
    assert front.received[-1][1] == {"text/plain": "", "text/html": ""}


def test_a_terminal_gets_a_line_for_each_change_and_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is drawn twice, steps are silent."""
    lines: list[str] = []
    monkeypatch.setattr(live.time, "time", lambda: SNAPSHOT.created)
    card = live.TextCard(SNAPSHOT, lines.append)
    for event in (
        JobEvent("state", SNAPSHOT.created, {"state": "QUEUED", "position": 1}),
        JobEvent("state", SNAPSHOT.created, {"state": "RUNNING"}),
        JobEvent("fit", SNAPSHOT.created, {"fit": 1, "epochs": 2, "steps": 5}),
        JobEvent("step", SNAPSHOT.created, {"epoch": 1, "step": 3, "steps": 5, "metrics": {"loss": 2}}),
        JobEvent("epoch", SNAPSHOT.created, {"epoch": 1, "epochs": 2, "seconds": 1, "metrics": {"loss": 1.5}}),
        JobEvent("warning", SNAPSHOT.created, {"message": "the loss is nan"}),
        JobEvent("failure", SNAPSHOT.created, {"message": "It broke.", "cell": "In [3]", "line": 2}),
        JobEvent("state", SNAPSHOT.created, {"state": "FAILED"}),
    ):
        card.apply(event)
    assert lines == [
        "digits · QUEUED · this machine · 1st in line · 0 s",
        "digits · RUNNING · this machine · 0 s",
        "digits · epoch 1 of 2 · loss 1.500",
        "digits · warning: the loss is nan",
        "digits · FAILED · this machine · 0 s · It broke. (In [3], line 2)",
    ]


def test_a_terminal_says_a_reason_once_until_it_changes() -> None:
    """Lines stay where they are: the same one over and over says nothing."""
    lines: list[str] = []
    card = live.TextCard(SNAPSHOT, lines.append)
    for note in (
        "trying again: HTTP 503",
        "trying again: HTTP 503",
        "trying again: HTTP 429",
        "trying again: HTTP 503",
    ):
        card.say(note)
    assert [line.rpartition(": ")[2] for line in lines] == ["HTTP 503", "HTTP 429", "HTTP 503"]


def test_in_a_terminal_a_job_that_is_shown_again_is_not_told_twice() -> None:
    """`%ml_wait` takes over from the card of `%%ml_train`; each line is written once from then on."""
    before: list[str] = []
    after: list[str] = []
    first, second = live.TextCard(SNAPSHOT, before.append), live.TextCard(SNAPSHOT, after.append)
    first.belongs_to(SNAPSHOT)
    running = JobEvent("state", SNAPSHOT.created, {"state": "RUNNING"})
    first.apply(running)
    second.belongs_to(SNAPSHOT)
    for card in (first, second):
        card.apply(running)
        card.apply(JobEvent("state", SNAPSHOT.created, {"state": "SUCCEEDED"}))
    assert len(before) == 1
    assert [line.split(" · ")[1] for line in after] == ["RUNNING", "SUCCEEDED"]
