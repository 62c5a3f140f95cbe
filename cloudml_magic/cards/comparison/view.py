"""A comparison in the words that its card shows; whatever a job says is cleaned first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cloudml_magic.cards.job.view import figure
from cloudml_magic.cards.prediction.view import words
from cloudml_magic.records import ComparedCurve, ComparedJob, Comparison
from cloudml_magic.wording import clean, duration

MOST_CHARTS = 6
_MOST_ROWS = 60
_ABSENT = "–"


@dataclass(frozen=True, slots=True)
class RowView:
    """A parameter or a metric: one cell for each job; `differs` where not all are the same."""

    name: str
    cells: tuple[str, ...]

    @property
    def differs(self) -> bool:
        return len(set(self.cells)) > 1


@dataclass(frozen=True, slots=True)
class ChartView:
    """A metric's curve of each job, None where it has none, and the validation curves beside them."""

    name: str
    curves: tuple[ComparedCurve | None, ...]
    validation: tuple[ComparedCurve | None, ...]


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """Everything that a card shows."""

    titles: tuple[str, ...]
    states: RowView
    times: RowView
    metrics: tuple[RowView, ...]
    parameters: tuple[RowView, ...]
    charts: tuple[ChartView, ...]

    @classmethod
    def of(cls, comparison: Comparison) -> ComparisonView:
        """Metrics in the order of the first job that has them, parameters that differ before the others."""
        jobs = comparison.jobs
        parameters = _rows(jobs, lambda job: {name: words(value) for name, value in job.parameters.items()})
        return cls(
            titles=tuple(words(job.title) for job in jobs),
            states=RowView("state", tuple(job.state.value.capitalize() for job in jobs)),
            times=RowView("took", tuple(duration(job.seconds) if job.seconds else _ABSENT for job in jobs)),
            metrics=_rows(jobs, lambda job: {name: figure(name, value) for name, value in job.metrics.items()}),
            parameters=tuple(sorted(parameters, key=lambda row: not row.differs)),
            charts=_charts(jobs),
        )


def _rows(jobs: Sequence[ComparedJob], values_of: Callable[[ComparedJob], dict[str, str]]) -> tuple[RowView, ...]:
    values = [values_of(job) for job in jobs]
    names = dict.fromkeys(name for one in values for name in one)
    return tuple(
        RowView(clean(name), tuple(one.get(name, _ABSENT) for one in values)) for name in list(names)[:_MOST_ROWS]
    )


def _charts(jobs: Sequence[ComparedJob]) -> tuple[ChartView, ...]:
    names = dict.fromkeys(name for job in jobs for name in job.curves)
    shown = [name for name in names if not (name.startswith("val_") and name.removeprefix("val_") in names)]
    return tuple(
        ChartView(
            clean(name),
            tuple(job.curves.get(name) for job in jobs),
            tuple(job.curves.get(f"val_{name}") for job in jobs),
        )
        for name in shown[:MOST_CHARTS]
    )
