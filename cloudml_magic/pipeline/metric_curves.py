"""The points of a job's metrics as they come, as many as can be shown; who looks again sees what was added since."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

MOST_POINTS = 20_000
MOST_NAMES = 80


@dataclass(slots=True)
class Series:
    """The values of one metric. What is full keeps each second of its points, then each fourth, and so on."""

    steps: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    rewrites: int = 0
    _came: int = 0
    _stride: int = 1
    _ascends: bool = True

    def add(self, step: float | None, value: float) -> None:
        """Takes the next point in; without a step it is counted."""
        index, self._came = self._came, self._came + 1
        if index % self._stride:
            return
        if len(self.values) >= MOST_POINTS:
            self._halve()
            if index % self._stride:
                return
        counted = float(index + 1)
        at = counted if step is None or not self._ascends else step
        if self._ascends and self.steps and at <= self.steps[-1]:
            # A line is drawn from left to right: what was reported out of order is shown as it came.
            self._count_steps()
            at = counted
        self.steps.append(at)
        self.values.append(value)

    def _halve(self) -> None:
        self.steps, self.values = self.steps[::2], self.values[::2]
        self._stride *= 2
        self.rewrites += 1

    def _count_steps(self) -> None:
        self.steps = [float(1 + place * self._stride) for place in range(len(self.steps))]
        self._ascends = False
        self.rewrites += 1


@dataclass(frozen=True, slots=True)
class MetricCurve:
    """A metric that is shown, and its validation twin where both have equally many points."""

    name: str
    series: Series
    twin: Series | None


@dataclass(slots=True)
class MetricCurves:
    """All metrics of a job: those of its epochs, and those that its code reported."""

    _by_epoch: dict[str, Series] = field(default_factory=dict)
    _reported: dict[str, Series] = field(default_factory=dict)
    _epochs: int = 0

    def add_epoch(self, metrics: Mapping[str, float]) -> None:
        """An epoch has ended; a metric that it lacks has a gap there."""
        for name in metrics:
            if name not in self._by_epoch and len(self._by_epoch) < MOST_NAMES:
                self._by_epoch[name] = missing = Series()
                for _ in range(self._epochs):
                    missing.add(None, math.nan)
        self._epochs += 1
        for name, series in self._by_epoch.items():
            series.add(None, metrics.get(name, math.nan))

    def begin_epochs_again(self, rows: Iterable[Mapping[str, float]]) -> None:
        """Only these epochs count."""
        self._by_epoch, self._epochs = {}, 0
        for metrics in rows:
            self.add_epoch(metrics)

    def add_reported(self, step: float | None, metrics: Mapping[str, float]) -> None:
        """The code has reported values at a step."""
        for name, value in metrics.items():
            if name in self._reported or len(self._reported) < MOST_NAMES:
                self._reported.setdefault(name, Series()).add(step, value)

    def shown(self) -> list[MetricCurve]:
        """The loss first, twins with their metrics."""
        series = self._reported | self._by_epoch
        order = [*self._by_epoch, *(name for name in self._reported if name not in self._by_epoch)]
        names = [name for name in order if not (name.startswith("val_") and name.removeprefix("val_") in series)]
        return [
            MetricCurve(name, series[name], _twin(series[name], series.get(f"val_{name}")))
            for name in sorted(names, key=lambda name: name != "loss")
        ]


def _twin(series: Series, twin: Series | None) -> Series | None:
    # Both come with the same epochs; a twin that was reported by itself cannot share the axis.
    return twin if twin is not None and len(twin.values) == len(series.values) else None
