"""The three representations of a card, made together from one view so that none is older than another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from cloudml_magic.cards.job.curves import thinned
from cloudml_magic.cards.job.html import html
from cloudml_magic.cards.job.text import text
from cloudml_magic.cards.job.view import Curve, JobView
from cloudml_magic.records import JobFailure

JOB_MIME = "application/vnd.cloudml.job+json"
SCHEMA = 1
MOST_CURVES = 40


def bundle(view: JobView) -> dict[str, Any]:
    """What a front end chooses from."""
    return {"text/plain": text(view), "text/html": html(view), JOB_MIME: document(view)}


def document(view: JobView) -> dict[str, Any]:
    """The card as data: what schema/job.schema.json describes."""
    return {
        "schema": SCHEMA,
        "id": view.id,
        "name": view.name,
        "kind": view.kind.value,
        "state": view.state.value,
        "target": view.target.value,
        "where": view.where,
        "note": view.note,
        "created": _finite(view.created),
        "started": _finite(view.started),
        "ended": _finite(view.ended),
        "remaining": _finite(view.left),
        "fraction": _finite(view.fraction),
        "epoch": view.epoch,
        "epochs": view.epochs,
        "step": view.step,
        "steps": view.steps,
        "rows": view.rows,
        "curves": [curve_document(curve) for curve in view.curves[:MOST_CURVES]],
        "log": [
            {"time": moment, "severity": severity, "text": line}
            for moment, severity, line in view.log
            if math.isfinite(moment)
        ],
        "warnings": list(view.warnings),
        "failure": None if view.failure is None else _failure(view.failure, view),
        "cost": _cost(view),
        "artifacts": list(view.artifacts),
        "origin": {
            "notebook": view.origin.notebook,
            "cell": view.origin.cell,
            "cell_id": view.origin.cell_id,
        },
        "parameters": [{"name": name, "value": value} for name, value in view.origin.parameters],
        "updated_at": view.updated,
    }


def curve_document(curve: Curve, most: int | None = None) -> dict[str, Any]:
    """A curve as data, with as many points as a card can show, or as many as are wanted."""
    there = [index for index, step in enumerate(curve.steps) if math.isfinite(step)]
    keep = thinned(there, most) if most else thinned(there)
    return {
        "name": curve.name,
        "steps": [curve.steps[index] for index in keep],
        "values": _numbers(curve.values, keep),
        "validation": _numbers(curve.validation, keep) if curve.validation else None,
    }


def _cost(view: JobView) -> dict[str, Any] | None:
    price = view.origin.price
    if view.cost is None or price is None:
        return None
    return {"amount": round(view.cost.amount, 2), "per_hour": price.per_hour, "currency": view.cost.currency}


def _failure(failure: JobFailure, view: JobView) -> dict[str, Any]:
    return {
        "message": failure.message,
        "cell": failure.cell,
        "cell_id": view.origin.cell_ids.get(failure.cell or ""),
        "line": failure.line,
        "source": [{"line": line, "text": text} for line, text in failure.source],
        "next": failure.next,
    }


def _numbers(values: Sequence[float], keep: Sequence[int]) -> list[float | None]:
    return [_finite(values[index]) for index in keep]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
