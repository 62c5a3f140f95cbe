"""Deltas: applied one after the other to the first document they give the last one."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cloudml_magic.cards.job import JobView, document
from cloudml_magic.pipeline.metric_curves import MOST_POINTS
from cloudml_magic.pipeline.progress import JobProgress
from cloudml_magic.records import JobEvent, JobOrigin, JobSnapshot, Target
from cloudml_magic.server_extension.following.deltas import Moment, changes, delta, is_nothing, overlap
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
    st.builds(
        lambda n, a: ("metric", {"step": n, "metrics": {"reward": a, "val_reward": a}}), st.integers(0, 50), VALUES
    ),
    st.builds(lambda a: ("metric", {"step": "inf", "metrics": {f"m{n}": a for n in range(40)}}), VALUES),
    st.builds(lambda a: ("metric", {"step": 7, "metrics": {f"n{n}": a for n in range(40)}}), VALUES),
    st.builds(lambda text: ("log", {"text": text, "severity": "INFO"}), st.sampled_from(["a", "a", "b", "c"])),
    st.builds(lambda text: ("warning", {"message": text}), st.text(max_size=5)),
    st.just(("artifact", {"artifact": "model", "path": "model"})),
    st.sampled_from([("state", {"state": "RUNNING"}), ("state", {"state": "FAILED", "error": "no reason"})]),
)


def moment(progress: JobProgress, now: float) -> Moment:
    return Moment.of(SNAPSHOT, progress, now, JobOrigin())


@settings(max_examples=60)
@given(st.lists(st.lists(EVENTS, max_size=8), max_size=8))
def test_folding_gives_the_last_document(batches: list[list[tuple[str, dict[str, Any]]]]) -> None:
    progress = JobProgress()
    before = moment(progress, 1.0)
    held = document(JobView.of(SNAPSHOT, progress, 1.0))
    for number, batch in enumerate(batches, 1):
        for kind, fields in batch:
            progress.apply(JobEvent(kind, float(number), fields))
        after = moment(progress, 1.0 + number)
        whole = document(JobView.of(SNAPSHOT, progress, 1.0 + number))
        told = changes(before, after)
        if told is None:
            held = whole  # A page that misses a delta asks for the whole.
        else:
            message = delta("session", "1", number, told)
            check(message, "delta")
            held = fold(held, message)
        assert held == whole
        before = after


def test_only_time_has_passed() -> None:
    before, after = (moment(JobProgress(), now) for now in (1.0, 2.0))
    told = changes(before, after)
    assert told is not None and is_nothing(told)


def test_a_curve_that_is_told_anew_is_asked_for_as_a_whole() -> None:
    """Points that came out of order change the axis of all those before."""
    progress = JobProgress()
    for step in (5, 6):
        progress.apply(JobEvent("metric", 1.0, {"step": step, "metrics": {"reward": 1.0}}))
    before = moment(progress, 1.0)
    progress.apply(JobEvent("metric", 1.0, {"step": 2, "metrics": {"reward": 1.0}}))
    assert changes(before, moment(progress, 2.0)) is None


def test_more_points_than_a_delta_holds_are_asked_for() -> None:
    before = moment(JobProgress(), 1.0)
    progress = JobProgress()
    for step in range(101):
        progress.apply(JobEvent("metric", 1.0, {"step": step, "metrics": {"reward": 1.0}}))
    assert changes(before, moment(progress, 2.0)) is None


@given(st.lists(st.integers(0, 2), max_size=6), st.lists(st.integers(0, 2), max_size=6))
def test_a_window_that_moves_on_is_told_by_what_is_new(before: list[int], after: list[int]) -> None:
    new = after[overlap(before, after) :]
    assert (before + new)[-len(after) :] == after or not after


def test_a_delta_leaves_out_what_the_document_leaves_out() -> None:
    """90 metrics at one step: as many curves as a document has, and no more metrics than a delta may have."""
    progress = JobProgress()
    before = moment(progress, 1.0)
    for first in (0, 30, 60):
        metrics = {f"m{n}": 1.0 for n in range(first, first + 30)}
        progress.apply(JobEvent("metric", 1.0, {"step": 1, "metrics": metrics}))
    told = changes(before, moment(progress, 2.0))
    assert told is not None
    check(delta("session", "1", 1, told), "delta")
    assert list(told["points"][0]["metrics"]) == [f"m{n}" for n in range(40)]


def test_what_a_delta_costs_does_not_grow_with_the_curve() -> None:
    """It looks at the points that came, not at those that are there."""
    costs = []
    for count in (100, 10_000):
        progress = JobProgress()
        for step in range(count):
            progress.apply(JobEvent("metric", 1.0, {"step": step, "metrics": {"reward": 1.0}}))
        series = progress.curves.shown()[0].series
        series.values = counting = Counting(series.values)  # type: ignore[assignment]
        before = moment(progress, 1.0)
        progress.apply(JobEvent("metric", 1.0, {"step": count, "metrics": {"reward": 2.0}}))
        told = changes(before, moment(progress, 2.0))
        assert told is not None and told["points"] == [{"step": count, "metrics": {"reward": 2.0}}]
        costs.append(counting.read)
    assert costs == [1, 1]


class Counting(list[float]):
    """Values that count how many of them are read."""

    read = 0

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        self.read += len(found) if isinstance(place, slice) else 1
        return found

    def __iter__(self) -> Any:
        self.read += len(self)
        return super().__iter__()


def test_a_job_that_is_read_anew_goes_on_where_it_was() -> None:
    """Somebody looks again: the same points, folded a second time, are no news; others are a gap."""
    first, again, other = JobProgress(), JobProgress(), JobProgress()
    for progress, values in ((first, (1, "nan")), (again, (1, "nan", 3)), (other, (1, 2, 3))):
        for value in values:
            progress.apply(JobEvent("epoch", 1.0, {"metrics": {"loss": value, "val_loss": value}}))
    before = moment(first, 1.0)
    told = changes(before, moment(again, 2.0))
    assert told is not None and told["points"] == [{"step": 3.0, "metrics": {"loss": 3.0, "val_loss": 3.0}}]
    assert changes(before, moment(other, 2.0)) is None


def test_a_curve_that_was_thinned_is_asked_for_as_a_whole() -> None:
    progress = JobProgress()
    for step in range(MOST_POINTS):
        progress.apply(JobEvent("metric", 1.0, {"step": step, "metrics": {"reward": 1.0}}))
    before = moment(progress, 1.0)
    progress.apply(JobEvent("metric", 1.0, {"step": MOST_POINTS, "metrics": {"reward": 1.0}}))
    assert changes(before, moment(progress, 2.0)) is None
