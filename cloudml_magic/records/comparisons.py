"""Jobs beside each other: what they were given, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cloudml_magic.states import JobState


@dataclass(frozen=True, slots=True)
class ComparedCurve:
    """A metric of one job over its epochs or steps; values may be NaN."""

    steps: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ComparedJob:
    """One of the jobs: the plain values that it was sent with, its curves by metric, `val_…` among them."""

    title: str
    id: str
    state: JobState
    seconds: float | None
    parameters: Mapping[str, str]
    curves: Mapping[str, ComparedCurve]

    @property
    def metrics(self) -> dict[str, float]:
        """The last value of each metric."""
        return {name: curve.values[-1] for name, curve in self.curves.items() if curve.values}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Jobs in the order in which they were named."""

    jobs: tuple[ComparedJob, ...]
