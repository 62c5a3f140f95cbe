"""What a job reports, folded: finite, bounded, whatever it writes."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from cloudml_magic.cards.job import JobView, bundle, document
from cloudml_magic.client.event_lines import parse
from cloudml_magic.pipeline.metric_curves import MOST_NAMES, MOST_POINTS, Series
from cloudml_magic.pipeline.progress import JobProgress
from cloudml_magic.records import JobEvent, JobSnapshot, Target
from cloudml_magic.states import JobState

SNAPSHOT = JobSnapshot("1", "jobs/1", "digits", JobState.RUNNING, Target.LOCAL, "", created=1.0, started=1.0)


def progress_of(*events: tuple[str, dict[str, Any]], time: float = 2.0) -> JobProgress:
    progress = JobProgress(started=1.0, state=JobState.RUNNING)
    for kind, fields in events:
        progress.apply(JobEvent(kind, time, fields))
    return progress


def text_of(progress: JobProgress) -> str:
    return json.dumps(document(JobView.of(SNAPSHOT, progress, 3.0)), allow_nan=False)


@pytest.mark.parametrize("step", ["inf", "-inf", "nan", math.inf, 10**400])
def test_a_step_that_is_not_finite_is_counted(step: object) -> None:
    progress = progress_of(
        ("metric", {"step": 5, "metrics": {"a": 1}}), ("metric", {"step": step, "metrics": {"b": 1}})
    )
    text_of(progress)
    assert [curve.series.steps for curve in progress.curves.shown()] == [[5.0], [1.0]]


def test_a_remaining_time_that_is_beyond_all_measure_is_not_said() -> None:
    epoch = ("epoch", {"epoch": 1, "epochs": 2**53 - 1, "seconds": 1e308, "metrics": {}})
    rows = progress_of(("rows", {"done": 1, "total": 2**53 - 1}), time=1e308)
    for progress in (progress_of(epoch), rows):
        assert progress.seconds_left() is None
        text_of(progress)


@pytest.mark.parametrize("moment", ["9" * 401, "1e308", "-1e308", "NaN", "Infinity", "true", '"1"', "null"])
def test_a_time_that_no_clock_shows_is_that_of_its_arrival(moment: str) -> None:
    event = parse(f'{{"kind": "log", "time": {moment}, "text": "hello"}}')
    assert event is not None and 1.6e9 < event.time < 1e11
    progress = JobProgress()
    progress.apply(event)
    bundle(JobView.of(SNAPSHOT, progress, 3.0))


@pytest.mark.parametrize("moment", [math.inf, math.nan, -math.inf])
def test_a_document_is_finite_whatever_happens(moment: float) -> None:
    state = ("state", {"state": "RUNNING"})
    progress = progress_of(("log", {"text": "a"}), state, ("rows", {"done": 1, "total": 2}), time=moment)
    progress.created = progress.started = progress.ended = moment
    text_of(progress)


def test_so_many_names_are_kept() -> None:
    names = [f"m{n}" for n in range(10_000)]
    for kind in ("metric", "epoch", "step"):
        progress = progress_of(*((kind, {"metrics": {name: 1.0}}) for name in names))
        assert len(progress.metrics) <= MOST_NAMES and len(progress.curves.shown()) <= MOST_NAMES


def test_a_long_curve_keeps_its_first_point_and_its_axis() -> None:
    series = Series()
    for step in range(5 * MOST_POINTS):
        series.add(step, float(step))
    assert MOST_POINTS / 2 <= len(series.values) <= MOST_POINTS
    assert series.steps == series.values and series.steps[:3] == [0, 8, 16]
    assert series.steps[-1] > 5 * MOST_POINTS - 9


def test_a_metric_and_its_twin_are_thinned_alike() -> None:
    progress = JobProgress()
    for n in range(MOST_POINTS + 100):
        progress.apply(JobEvent("metric", 1.0, {"step": n, "metrics": {"loss": n, "val_loss": -n}}))
    (loss,) = progress.curves.shown()
    assert loss.twin is not None and loss.twin.values == [-value for value in loss.series.values]


def test_what_an_epoch_lacks_is_a_gap() -> None:
    epochs = [("epoch", {"metrics": metrics}) for metrics in ({}, {"loss": 1}, {"auc": 2, "loss": 3})]
    loss, auc = progress_of(*epochs).curves.shown()
    assert str(loss.series.values) == "[nan, 1.0, 3.0]" and str(auc.series.values) == "[nan, nan, 2.0]"
    assert auc.series.steps == [1.0, 2.0, 3.0]


def trained(fit: int, *epochs: int) -> list[tuple[str, dict[str, object]]]:
    return [
        ("epoch", {"fit": fit, "epoch": n, "seconds": 1.0, "metrics": {"loss": 1.0 / (10 * fit + n)}}) for n in epochs
    ]


def test_epochs_that_come_again_after_an_interruption_count_once() -> None:
    """The checkpoint held two of the three epochs, so the third is trained and reported a second time."""
    progress = progress_of(
        ("started", {}), ("fit", {"fit": 1, "epochs": 1}), *trained(1, 1),
        ("fit", {"fit": 2, "epochs": 5}), *trained(2, 1, 2, 3),
        ("started", {}), ("fit", {"fit": 1, "epochs": 1, "done": 1}), ("fit", {"fit": 2, "epochs": 5, "done": 2}), *trained(2, 3, 4),
    )  # fmt: skip
    assert progress.interruptions == 1 and progress.resumed_at == (2, 3)
    (loss,) = progress.curves.shown()
    assert [row["loss"] for row in progress.rows] == loss.series.values == [1 / 11, 1 / 21, 1 / 22, 1 / 23, 1 / 24]
    assert progress.epochs_done == 4


def test_a_short_fit_that_comes_again_stands_before_the_later_one_that_was_held() -> None:
    """Only what took long enough has a checkpoint."""
    progress = progress_of(
        ("started", {}), ("fit", {"fit": 1, "epochs": 1}), *trained(1, 1), ("fit", {"fit": 2, "epochs": 3}), *trained(2, 1, 2),
        ("started", {}), ("fit", {"fit": 1, "epochs": 1}), *trained(1, 1), ("fit", {"fit": 2, "epochs": 3, "done": 1}), *trained(2, 2),
    )  # fmt: skip
    (loss,) = progress.curves.shown()
    assert [row["loss"] for row in progress.rows] == loss.series.values == [1 / 11, 1 / 21, 1 / 22]


def test_without_a_checkpoint_everything_comes_again() -> None:
    progress = progress_of(
        ("started", {}), ("fit", {"fit": 1, "epochs": 5}), *trained(1, 1, 2), ("started", {}), ("fit", {"fit": 1, "epochs": 5}),
    )  # fmt: skip
    assert progress.rows == [] and progress.curves.shown() == [] and progress.resumed_at == (1, 1)


def test_what_a_job_reports_in_a_loop_of_its_own_stays() -> None:
    """Nobody knows whether its code goes on or begins again."""
    progress = progress_of(("started", {}), ("metric", {"step": 1, "metrics": {"loss": 3}}), ("started", {}))
    assert progress.interruptions == 1 and progress.curves.shown()[0].series.values == [3.0]
