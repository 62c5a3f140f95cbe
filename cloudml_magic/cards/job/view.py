"""A job at one moment in the words that its card shows; what a job wrote is cleaned before anything displays it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from cloudml_magic.dialects.shortages import failure_advice
from cloudml_magic.pipeline.metric_curves import MetricCurve
from cloudml_magic.pipeline.progress import LOG_LINES, JobProgress
from cloudml_magic.records import Cost, JobFailure, JobKind, JobOrigin, JobSnapshot, Target
from cloudml_magic.states import JobState
from cloudml_magic.wording import clean, money, place_words

_LONGEST_NAME = 128
_LONGEST_PARAMETER = 200
_LONGEST_LABEL = 100
_LONGEST_WORDS = 300
_LONGEST_TEXT = 2000
_LONGEST_PATH = 1000
_MOST_PARAMETERS = 60
_ARTIFACTS = ("model", "export", "history", "tensorboard")
_UNKNOWN_ORIGIN = JobOrigin()
_WORDS = {state: state.value.capitalize() for state in JobState}


@dataclass(frozen=True, slots=True)
class Curve:
    """A metric over the epochs or steps, with its validation twin where it has one; values may be NaN."""

    name: str
    steps: tuple[float, ...]
    values: tuple[float, ...]
    validation: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class JobView:
    """Everything that a card shows."""

    id: str
    name: str
    kind: JobKind
    state: JobState
    target: Target
    where: str
    note: str
    created: float | None
    started: float | None
    ended: float | None
    elapsed: float | None
    left: float | None
    epoch: int
    epochs: int | None
    step: int | None
    steps: int | None
    rows: str
    fraction: float | None
    curves: tuple[Curve, ...]
    log: tuple[tuple[float, str, str], ...]
    warnings: tuple[str, ...]
    failure: JobFailure | None
    cost: Cost | None
    artifacts: tuple[str, ...]
    origin: JobOrigin
    updated: float

    @classmethod
    def of(
        cls,
        snapshot: JobSnapshot,
        progress: JobProgress,
        now: float,
        origin: JobOrigin = _UNKNOWN_ORIGIN,
        *,
        with_curves: bool = True,
    ) -> JobView:
        """Puts together what the platform says and what the job reports; its curves may be long."""
        state = progress.state
        return cls(
            id=clean(snapshot.id),
            name=_cut(snapshot.name, _LONGEST_NAME),
            kind=snapshot.kind,
            state=state,
            target=snapshot.target,
            where=_where(snapshot, progress),
            note=_note(progress),
            created=progress.created or snapshot.created or None,
            started=progress.started or snapshot.started,
            ended=progress.ended or snapshot.ended,
            elapsed=_elapsed(snapshot, progress, now),
            left=progress.seconds_left(),
            epoch=max(1, progress.epoch) if progress.epochs else 0,
            epochs=progress.epochs,
            step=progress.step,
            steps=progress.steps,
            rows=_rows(progress),
            fraction=_fraction(progress),
            curves=tuple(_curve(metric) for metric in progress.curves.shown()) if with_curves else (),
            log=tuple((moment, severity, _cut(text)) for moment, severity, text in progress.log),
            warnings=(*_interruptions(progress), *map(_cut, progress.warnings))[:LOG_LINES],
            failure=_failure(snapshot, progress) if state is JobState.FAILED else None,
            cost=_cost(snapshot, progress, origin, now),
            artifacts=tuple(name for name in _ARTIFACTS if name in progress.artifacts),
            origin=_origin(origin),
            updated=now,
        )

    @property
    def word(self) -> str:
        return _WORDS[self.state]

    @property
    def cost_words(self) -> str:
        """`$0.42 so far`; nothing where it costs nothing."""
        if self.cost is None:
            return ""
        return money(self.cost.amount, self.cost.currency) + ("" if self.state.is_final else " so far")


def about(seconds: float) -> str:
    """`about 3 min left`, in steps that do not flicker."""
    if seconds < 10:
        return "a few seconds left"
    if seconds < 90:
        return f"about {round(seconds / 5) * 5} s left"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min left"
    return f"about {seconds / 3600:.1f} h left"


def figure(name: str, value: float) -> str:
    """A metric's value as people read it: shares in percent, the rest with three or four digits."""
    if not math.isfinite(value):
        return str(value)
    if 0 <= value <= 1 and re.search(r"acc|precision|recall|auc|f1|iou", name):
        return f"{100 * value:.1f} %"
    if value and (abs(value) < 0.001 or abs(value) >= 100_000):
        return f"{value:.2e}"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.1f}"


def ordinal(position: int) -> str:
    """`1st`, `2nd`, `11th`."""
    ending = "th" if position % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(position % 10, "th")
    return f"{position}{ending}"


def _cut(text: str, longest: int = _LONGEST_TEXT) -> str:
    # Cleaning makes a text longer where it has tabs.
    return clean(text)[:longest]


def _where(snapshot: JobSnapshot, progress: JobProgress) -> str:
    place = place_words(snapshot.target, snapshot.machine)
    return " · ".join(part for part in (place, clean(progress.device or "")) if part)[:_LONGEST_WORDS]


def _note(progress: JobProgress) -> str:
    if progress.state is JobState.QUEUED and progress.position:
        return f"{ordinal(progress.position)} in line"
    return "" if progress.state.is_final else _cut(progress.note or "")


def _elapsed(snapshot: JobSnapshot, progress: JobProgress, now: float) -> float | None:
    began = progress.started or snapshot.started or progress.created or snapshot.created
    return max(0.0, (progress.ended or snapshot.ended or now) - began) if began else None


def _interruptions(progress: JobProgress) -> tuple[str, ...]:
    """That the job lost its machine, and where it went on; it is no failure, but it explains the time."""
    count = progress.interruptions
    if not count:
        return ()
    times = "once" if count == 1 else f"{count} times"
    fit, epoch = progress.resumed_at or (1, 1)
    resumed = f"resumed at epoch {epoch}" + (f" of fit {fit}" if fit > 1 else "")
    return (f"Interrupted {times}, {'begun again' if (fit, epoch) == (1, 1) else resumed}.",)


def _cost(snapshot: JobSnapshot, progress: JobProgress, origin: JobOrigin, now: float) -> Cost | None:
    """What it has cost so far; nothing where it costs nothing, or before it runs."""
    began = progress.started or snapshot.started
    if origin.price is None or snapshot.target is Target.LOCAL or not began:
        return None
    return origin.price.cost((progress.ended or snapshot.ended or now) - began)


def _rows(progress: JobProgress) -> str:
    """`34,000 of 100,000 rows · 3 failed`, for a batch prediction."""
    if progress.rows_done is None:
        return ""
    total = f" of {progress.rows_total:,}" if progress.rows_total else ""
    failed = f" · {progress.rows_failed:,} failed" if progress.rows_failed else ""
    return f"{progress.rows_done:,}{total} rows{failed}"


def _fraction(progress: JobProgress) -> float | None:
    if progress.rows_done is not None:
        return min(1.0, progress.rows_done / progress.rows_total) if progress.rows_total else None
    if not progress.epochs:
        return None
    under_way = progress.step / progress.steps if progress.step and progress.steps else 0.0
    return max(0.0, min(1.0, (progress.epochs_done + under_way) / progress.epochs))


def _curve(metric: MetricCurve) -> Curve:
    twin = tuple(metric.twin.values) if metric.twin else None
    return Curve(metric.name, tuple(metric.series.steps), tuple(metric.series.values), twin)


def _failure(snapshot: JobSnapshot, progress: JobProgress) -> JobFailure:
    failure = progress.failure
    if failure is None:
        message = _cut(progress.error or "The platform gave no reason.")
        return JobFailure(message, next=failure_advice(message, snapshot.machines))
    return JobFailure(
        message=_cut(failure.message),
        cell=_cut(failure.cell, _LONGEST_LABEL) if failure.cell else None,
        line=failure.line,
        source_line=_cut(failure.source_line) if failure.source_line else None,
        source=tuple((line, _cut(text)) for line, text in failure.source),
        next=_cut(failure.next) if failure.next else None,
    )


def _origin(origin: JobOrigin) -> JobOrigin:
    return JobOrigin(
        notebook=_cut(origin.notebook, _LONGEST_PATH) if origin.notebook else None,
        cell=_cut(origin.cell, _LONGEST_LABEL) if origin.cell else None,
        cell_ids={
            _cut(label, _LONGEST_LABEL): _cut(identifier, _LONGEST_NAME)
            for label, identifier in origin.cell_ids.items()
        },
        parameters=tuple(
            (_cut(name, _LONGEST_LABEL), _cut(value, _LONGEST_PARAMETER))
            for name, value in origin.parameters[:_MOST_PARAMETERS]
        ),
        price=origin.price,
    )
