"""Deltas: applied one after the other to the first document they give the last one."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cloudml_magic.cards.job import JobView, document
from cloudml_magic.pipeline.progress import JobProgress
from cloudml_magic.records import JobEvent, JobSnapshot, Target
from cloudml_magic.server_extension.following.deltas import changes, delta, is_nothing, overlap
from cloudml_magic.states import JobState
from tests.server_extension.pages import fold
from tests.server_extension.test_jobs import check

SNAPSHOT = JobSnapshot("1", "jobs/1", "digits", JobState.RUNNING, Target.LOCAL, "", created=1.0)
VALUES = st.floats(width=32) | st.sampled_from(["nan", "inf"])
EVENTS = st.one_of(
    st.builds(lambda epochs: ("fit", {"epochs": epochs, "steps": 10}), st.integers(1, 9)),
    st.builds(lambda step: ("step", {"step": step, "epoch": 1}), st.integers(0, 10)),
    st.builds(lambda a, b: ("epoch", {"seconds": 1.0, "metrics": {"loss": a, "val_loss": b}}), VALUES, VALUES),
    st.builds(lambda a: ("epoch", {"seconds": 1.0, "metrics": {"loss": a, "auc": a}}), VALUES),
    st.builds(lambda n, a: ("metric", {"step": n, "metrics": {"reward": a}}), st.integers(0, 50), VALUES),
    st.builds(lambda text: ("log", {"text": text, "severity": "INFO"}), st.sampled_from(["a", "a", "b", "c"])),
    st.builds(lambda text: ("warning", {"message": text}), st.text(max_size=5)),
    st.just(("artifact", {"artifact": "model", "path": "model"})),
    st.sampled_from([("state", {"state": "RUNNING"}), ("state", {"state": "FAILED", "error": "no reason"})]),
)


@settings(max_examples=60)
@given(st.lists(st.lists(EVENTS, max_size=8), max_size=8))
def test_folding_gives_the_last_document(batches: list[list[tuple[str, dict[str, Any]]]]) -> None:
    progress = JobProgress()
    before = JobView.of(SNAPSHOT, progress, 1.0)
    held = document(before)
    for number, batch in enumerate(batches, 1):
        for kind, fields in batch:
            progress.apply(JobEvent(kind, float(number), fields))
        after = JobView.of(SNAPSHOT, progress, 1.0 + number)
        told = changes(before, after)
        if told is None:
            held = document(after)  # A page that misses a delta asks for the whole.
        else:
            message = delta("session", "1", number, told)
            check(message, "delta")
            held = fold(held, message)
        assert held == document(after)
        before = after


def test_only_time_has_passed() -> None:
    before, after = (JobView.of(SNAPSHOT, JobProgress(), now) for now in (1.0, 2.0))
    told = changes(before, after)
    assert told is not None and is_nothing(told)


def test_a_curve_that_is_told_anew_is_asked_for_as_a_whole() -> None:
    """Points that came out of order change the axis of all those before."""
    progress = JobProgress()
    for step in (5, 6):
        progress.apply(JobEvent("metric", 1.0, {"step": step, "metrics": {"reward": 1.0}}))
    before = JobView.of(SNAPSHOT, progress, 1.0)
    progress.apply(JobEvent("metric", 1.0, {"step": 2, "metrics": {"reward": 1.0}}))
    assert changes(before, JobView.of(SNAPSHOT, progress, 2.0)) is None


def test_more_points_than_a_delta_holds_are_asked_for() -> None:
    before = JobView.of(SNAPSHOT, JobProgress(), 1.0)
    progress = JobProgress()
    for step in range(101):
        progress.apply(JobEvent("metric", 1.0, {"step": step, "metrics": {"reward": 1.0}}))
    assert changes(before, JobView.of(SNAPSHOT, progress, 2.0)) is None


@given(st.lists(st.integers(0, 2), max_size=6), st.lists(st.integers(0, 2), max_size=6))
def test_a_window_that_moves_on_is_told_by_what_is_new(before: list[int], after: list[int]) -> None:
    new = after[overlap(before, after) :]
    assert (before + new)[-len(after) :] == after or not after
