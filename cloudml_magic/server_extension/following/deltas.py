"""What has changed between two moments of a job: pure functions whose work is what was added, not what is there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudml_magic.cards.job import MOST_CURVES, JobView, document
from cloudml_magic.pipeline.metric_curves import MetricCurve, Series
from cloudml_magic.pipeline.progress import JobProgress
from cloudml_magic.records import JobOrigin, JobSnapshot

SCHEMA = 1
_MOST_POINTS = 100
_MOST_LINES = 40
_FIELDS = (
    "state",
    "where",
    "note",
    "created",
    "started",
    "ended",
    "remaining",
    "fraction",
    "epoch",
    "epochs",
    "step",
    "steps",
    "rows",
    "warnings",
    "failure",
    "cost",
    "artifacts",
)
Points = dict[float, dict[str, float | None]]


@dataclass(frozen=True, slots=True)
class _Standing:
    """How far a curve had come; its points themselves stay where they are."""

    count: int
    series: Series
    rewrites: int
    twin: Series | None
    twin_rewrites: int

    @classmethod
    def of(cls, curve: MetricCurve) -> _Standing:
        twin_rewrites = curve.twin.rewrites if curve.twin else 0
        return cls(len(curve.series.values), curve.series, curve.series.rewrites, curve.twin, twin_rewrites)

    def leads_to(self, after: _Standing) -> bool:
        """Whether all points that there were are as they were."""
        if not _continues(self.series, self.rewrites, after.series, self.count):
            return False
        if self.twin is None or after.twin is None:
            return self.twin is after.twin
        return _continues(self.twin, self.twin_rewrites, after.twin, self.count)


@dataclass(frozen=True, slots=True)
class Moment:
    """A job at one moment: its document but for the curves, and how far those had come."""

    document: Mapping[str, Any]
    curves: Mapping[str, _Standing]

    @classmethod
    def of(cls, snapshot: JobSnapshot, progress: JobProgress, now: float, origin: JobOrigin) -> Moment:
        """What the progress takes in afterwards belongs to the next moment."""
        view = JobView.of(snapshot, progress, now, origin, with_curves=False)
        shown = progress.curves.shown()[:MOST_CURVES]
        return cls(document(view), {curve.name: _Standing.of(curve) for curve in shown})


def changes(before: Moment, after: Moment) -> dict[str, Any] | None:
    """The fields of a JobDelta that tell of changes; None where a delta cannot tell, so the whole has to be asked for.

    An empty `set` but for the time, no points and no lines mean that nothing has changed.
    """
    points = _points(before.curves, after.curves)
    if points is None or not _is_ordered(list(before.curves), list(after.curves), points):
        return None
    old, new = before.document, after.document
    return {
        "set": {"updated_at": new["updated_at"]} | {name: new[name] for name in _FIELDS if new[name] != old[name]},
        "points": [{"step": step, "metrics": points[step]} for step in sorted(points)],
        "log": new["log"][overlap(old["log"], new["log"]) :][-_MOST_LINES:],
    }


def is_nothing(told: Mapping[str, Any]) -> bool:
    """Whether only time has passed."""
    return len(told["set"]) == 1 and not told["points"] and not told["log"]


def delta(session: str, job: str, seq: int, told: Mapping[str, Any]) -> dict[str, Any]:
    """A JobDelta (cards/schema/delta.schema.json)."""
    return {"schema": SCHEMA, "session": session, "job": job, "seq": seq, **told}


def overlap(before: Sequence[Any], after: Sequence[Any]) -> int:
    """How many of the first items of `after` are the last ones of `before`: a window that moved on."""
    for length in range(min(len(before), len(after)), 0, -1):
        if list(before[-length:]) == list(after[:length]):
            return length
    return 0


def _points(before: Mapping[str, _Standing], after: Mapping[str, _Standing]) -> Points | None:
    """What curves have gained, by steps; None where one is no continuation of what it was, or has gained too much."""
    if not before.keys() <= after.keys():
        return None
    found: Points = {}
    for name, curve in after.items():
        old = before.get(name)
        if old is not None and not old.leads_to(curve):
            return None
        first = old.count if old else 0
        if curve.count - first > _MOST_POINTS:
            return None
        for index in range(first, curve.count):
            metrics = found.setdefault(curve.series.steps[index], {})
            metrics[name] = _finite(curve.series.values[index])
            if curve.twin:
                metrics[f"val_{name}"] = _finite(curve.twin.values[index])
    return found if len(found) <= _MOST_POINTS else None


def _continues(old: Series, rewrites: int, new: Series, count: int) -> bool:
    if old.rewrites != rewrites or old is new:
        return old.rewrites == rewrites
    # The job is read from its beginning again, once somebody looks again.
    return old.steps[:count] == new.steps[:count] and _are_equal(old.values[:count], new.values[:count])


def _are_equal(some: Sequence[float], others: Sequence[float]) -> bool:
    return len(some) == len(others) and all(
        one == other or (math.isnan(one) and math.isnan(other)) for one, other in zip(some, others, strict=True)
    )


def _is_ordered(before: Sequence[str], after: Sequence[str], points: Points) -> bool:
    """Whether who adds new curves as their points come has them in the order of the document: the loss first."""
    came = dict.fromkeys([*before, *(name for step in sorted(points) for name in points[step])])
    wanted = set(after)
    return sorted((name for name in came if name in wanted), key=lambda name: name != "loss") == list(after)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
