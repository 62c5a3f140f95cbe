"""What has changed between two views of a job: pure functions, no I/O."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cloudml_magic.cards.job import JobView, document
from cloudml_magic.cards.job.view import Curve

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


def changes(before: JobView, after: JobView) -> dict[str, Any] | None:
    """The fields of a JobDelta that tell of changes; None where a delta cannot tell, so the whole has to be asked for.

    An empty `set` but for the time, no points and no lines mean that nothing has changed.
    """
    points = _points(before.curves, after.curves)
    if points is None or len(points) > _MOST_POINTS or not _is_ordered(before.curves, after.curves, points):
        return None
    old, new = document(before), document(after)
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


def _points(before: Sequence[Curve], after: Sequence[Curve]) -> Points | None:
    """What curves have gained, by steps; None where one is no continuation of what it was."""
    known = {curve.name: curve for curve in before}
    found: Points = {}
    for curve in after:
        old = known.pop(curve.name, None)
        gained = _gained(old, curve) if old else 0
        if gained is None:
            return None
        for index in range(gained, len(curve.values)):
            metrics = found.setdefault(curve.steps[index], {})
            metrics[curve.name] = _finite(curve.values[index])
            if curve.validation:
                metrics[f"val_{curve.name}"] = _finite(curve.validation[index])
    return None if known else found


def _is_ordered(before: Sequence[Curve], after: Sequence[Curve], points: Points) -> bool:
    """Whether who adds new curves as their points come has them in the order of the document: the loss first."""
    came = [curve.name for curve in before] + [name for step in sorted(points) for name in points[step]]
    wanted = [curve.name for curve in after]
    return sorted((name for name in dict.fromkeys(came) if name in wanted), key=lambda name: name != "loss") == wanted


def _gained(old: Curve, new: Curve) -> int | None:
    """From which point on a curve is new; None where what was there has changed."""
    count = len(old.values)
    if new.steps[:count] != old.steps or not _are_equal(new.values[:count], old.values):
        return None
    if (old.validation is None) != (new.validation is None):
        return None
    if old.validation and new.validation and not _are_equal(new.validation[:count], old.validation):
        return None
    return count


def _are_equal(some: Sequence[float], others: Sequence[float]) -> bool:
    return len(some) == len(others) and all(
        one == other or (math.isnan(one) and math.isnan(other)) for one, other in zip(some, others, strict=True)
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
