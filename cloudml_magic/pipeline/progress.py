"""Folds a job's events into what a card shows: state, epochs, curves, the last log lines, the cause of a failure."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from cloudml_magic.pipeline.metric_curves import MOST_NAMES, MetricCurves
from cloudml_magic.records import JobEvent, JobFailure
from cloudml_magic.states import JobState
from cloudml_magic.wording import clean

LOG_LINES = 20
_LONGEST_LINE = 2000
_LONGEST_NAME = 100
_LONGEST_LEFT = 1e9
_MOST_METRICS = 40
_MOST_LINES = 7
_SEVERITIES = frozenset({"DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"})


@dataclass(slots=True)
class JobProgress:
    """What is known of a running job; everything but `state` is what the job claims of itself."""

    state: JobState = JobState.QUEUED
    position: int | None = None
    note: str | None = None
    error: str | None = None
    created: float | None = None
    started: float | None = None
    ended: float | None = None
    device: str | None = None
    starts: int = 0
    resumed_at: tuple[int, int] | None = None
    fit: int = 0
    done_before: int = 0
    epochs: int | None = None
    epoch: int = 0
    step: int | None = None
    steps: int | None = None
    epoch_seconds: list[float] = field(default_factory=list)
    rows: list[dict[str, float]] = field(default_factory=list)
    fits_of_rows: list[int] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)
    curves: MetricCurves = field(default_factory=MetricCurves)
    warnings: list[str] = field(default_factory=list)
    artifacts: dict[str, str] = field(default_factory=dict)
    failure: JobFailure | None = None
    rows_done: int | None = None
    rows_total: int | None = None
    rows_failed: int = 0
    rows_seen: float | None = None
    log: deque[tuple[float, str, str]] = field(default_factory=lambda: deque(maxlen=LOG_LINES))

    def apply(self, event: JobEvent) -> None:
        """Takes in one event; kinds and fields that are not understood change nothing."""
        reader = _READERS.get(event.kind)
        if reader:
            reader(self, event)

    @property
    def epochs_done(self) -> int:
        """Epochs of the current fit that have ended, in this run of the job or in one that was interrupted."""
        return self.done_before + len(self.epoch_seconds)

    @property
    def interruptions(self) -> int:
        """How often the job had to begin again."""
        return max(0, self.starts - 1)

    def seconds_left(self) -> float | None:
        """How long the current fit may still take, judged by its last epochs; of a batch, by its rows so far."""
        if self.state is not JobState.RUNNING:
            return None
        left = self._epochs_left() if self.rows_done is None else self._rows_left()
        return left if left is not None and left < _LONGEST_LEFT else None

    def _epochs_left(self) -> float | None:
        if not self.epochs or not self.epoch_seconds:
            return None
        recent = sorted(self.epoch_seconds[-5:])
        typical = recent[len(recent) // 2]
        under_way = self.step / self.steps if self.step and self.steps and self.epoch > self.epochs_done else 0.0
        return max(0.0, (self.epochs - self.epochs_done - under_way) * typical)

    def _rows_left(self) -> float | None:
        if not self.rows_total or not self.rows_done or self.started is None or self.rows_seen is None:
            return None
        elapsed = max(0.0, self.rows_seen - self.started)
        return elapsed * max(0, self.rows_total - self.rows_done) / self.rows_done


def _state(progress: JobProgress, event: JobEvent) -> None:
    try:
        progress.state = JobState(str(event.fields.get("state")))
    except ValueError:
        return
    progress.position = _whole(event.fields.get("position"))
    progress.note = _text(event.fields.get("note"))
    progress.error = _text(event.fields.get("error")) or progress.error
    if progress.state is JobState.RUNNING and progress.note:
        # What the platform has to say of a job that runs is about how it runs: a GPU that is not there.
        _warn(progress, progress.note)
        progress.note = None
    if progress.created is None:
        progress.created = event.time
    if progress.state is JobState.RUNNING and progress.started is None:
        progress.started = event.time
    if progress.state.is_final:
        progress.ended = event.time


def _started(progress: JobProgress, event: JobEvent) -> None:
    progress.starts += 1
    progress.resumed_at = None


def _fit(progress: JobProgress, event: JobEvent) -> None:
    progress.fit = _whole(event.fields.get("fit")) or progress.fit + 1
    progress.epochs = _whole(event.fields.get("epochs"))
    progress.steps = _whole(event.fields.get("steps"))
    progress.done_before = min(_whole(event.fields.get("done")) or 0, progress.epochs or 0)
    progress.epoch, progress.step, progress.epoch_seconds = progress.done_before, None, []
    if progress.interruptions:
        if progress.resumed_at is None and progress.done_before < (progress.epochs or 0):
            progress.resumed_at = progress.fit, progress.done_before + 1
        _forget_what_comes_again(progress)


def _forget_what_comes_again(progress: JobProgress) -> None:
    """After an interruption the epochs that no checkpoint held are trained once more, and count once."""
    own = [place for place, fit in enumerate(progress.fits_of_rows) if fit == progress.fit]
    for place in reversed(own[progress.done_before :]):
        del progress.rows[place], progress.fits_of_rows[place]
    if len(own) > progress.done_before:
        progress.curves.begin_epochs_again(progress.rows)


def _step(progress: JobProgress, event: JobEvent) -> None:
    progress.epoch = _whole(event.fields.get("epoch")) or progress.epoch
    progress.step = _whole(event.fields.get("step"))
    progress.steps = _whole(event.fields.get("steps")) or progress.steps
    _see(progress, _numbers(event.fields.get("metrics")))


def _epoch(progress: JobProgress, event: JobEvent) -> None:
    progress.epoch = _whole(event.fields.get("epoch")) or progress.epoch + 1
    progress.epochs = _whole(event.fields.get("epochs")) or progress.epochs
    taken = number(event.fields.get("seconds"))
    progress.epoch_seconds.append(taken if taken is not None and math.isfinite(taken) and taken >= 0 else 0.0)
    metrics = _numbers(event.fields.get("metrics"))
    _see(progress, metrics)
    _add_row(progress, _whole(event.fields.get("fit")) or progress.fit, metrics)
    progress.step = None


def _add_row(progress: JobProgress, fit: int, metrics: dict[str, float]) -> None:
    place = len(progress.rows)
    while progress.interruptions and place and progress.fits_of_rows[place - 1] > fit:
        # A later fit has a checkpoint already, so that its epochs were not forgotten.
        place -= 1
    is_last = place == len(progress.rows)
    progress.rows.insert(place, metrics)
    progress.fits_of_rows.insert(place, fit)
    if is_last:
        progress.curves.add_epoch(metrics)
    else:
        progress.curves.begin_epochs_again(progress.rows)


def _metric(progress: JobProgress, event: JobEvent) -> None:
    step = number(event.fields.get("step"))
    metrics = _numbers(event.fields.get("metrics"))
    _see(progress, metrics)
    progress.curves.add_reported(step if step is not None and math.isfinite(step) else None, metrics)


def _see(progress: JobProgress, metrics: dict[str, float]) -> None:
    for name, value in metrics.items():
        if name in progress.metrics or len(progress.metrics) < MOST_NAMES:
            progress.metrics[name] = value


def _rows(progress: JobProgress, event: JobEvent) -> None:
    progress.rows_done = _whole(event.fields.get("done"))
    progress.rows_total = _whole(event.fields.get("total")) or progress.rows_total
    progress.rows_failed = _whole(event.fields.get("failed")) or 0
    progress.rows_seen = event.time


def _device(progress: JobProgress, event: JobEvent) -> None:
    name, count = _text(event.fields.get("name")), _whole(event.fields.get("count")) or 1
    progress.device = f"{count} × {name}" if name and count > 1 else name


def _warning(progress: JobProgress, event: JobEvent) -> None:
    _warn(progress, _text(event.fields.get("message")))


def _warn(progress: JobProgress, message: str | None) -> None:
    if message and message not in progress.warnings and len(progress.warnings) < LOG_LINES:
        progress.warnings.append(message)


def _artifact(progress: JobProgress, event: JobEvent) -> None:
    kind, path = _text(event.fields.get("artifact")), _text(event.fields.get("path"))
    if kind and path and len(progress.artifacts) < _MOST_METRICS:
        progress.artifacts[kind] = path


def _failure(progress: JobProgress, event: JobEvent) -> None:
    message = _text(event.fields.get("message"))
    if message:
        progress.failure = JobFailure(
            message=message,
            cell=_text(event.fields.get("cell")),
            line=_whole(event.fields.get("line")),
            source_line=_text(event.fields.get("source_line")),
            source=_source(event.fields.get("source")),
            traceback=_text(event.fields.get("traceback"), longest=50_000),
            next=_text(event.fields.get("next")),
        )


def _source(value: Any) -> tuple[tuple[int, str], ...]:
    if not isinstance(value, list):
        return ()
    lines = [
        (_whole(item.get("line")), _text(item.get("text"))) for item in value[:_MOST_LINES] if isinstance(item, dict)
    ]
    return tuple((number, text) for number, text in lines if number is not None and text is not None)


def _log(progress: JobProgress, event: JobEvent) -> None:
    text = _text(event.fields.get("text"))
    if text is not None:
        severity = str(event.fields.get("severity"))
        progress.log.append((event.time, severity if severity in _SEVERITIES else "INFO", text))


_READERS = {
    "state": _state,
    "started": _started,
    "fit": _fit,
    "step": _step,
    "epoch": _epoch,
    "metric": _metric,
    "rows": _rows,
    "device": _device,
    "warning": _warning,
    "artifact": _artifact,
    "failure": _failure,
    "log": _log,
}


def number(value: Any) -> float | None:
    """A number of an event; what is not finite travels as text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return None
    return float(value) if value in ("nan", "inf", "-inf") else None


def _numbers(value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        return {}
    first = list(value.items())[:_MOST_METRICS]
    read = {clean(name[:_LONGEST_LINE])[:_LONGEST_NAME]: number(item) for name, item in first if isinstance(name, str)}
    return {name: item for name, item in read.items() if item is not None}


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None


def _text(value: Any, *, longest: int = _LONGEST_LINE) -> str | None:
    return value[:longest] if isinstance(value, str) else None
