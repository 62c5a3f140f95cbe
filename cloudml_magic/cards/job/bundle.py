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
_MOST_CURVES = 40


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
        "where": view.where[:300],
        "note": view.note,
        "created": view.created,
        "started": view.started,
        "ended": view.ended,
        "remaining": view.left,
        "fraction": view.fraction,
        "epoch": view.epoch,
        "epochs": view.epochs,
        "step": view.step,
        "steps": view.steps,
        "rows": view.rows,
        "curves": [curve_document(curve) for curve in view.curves[:_MOST_CURVES]],
        "log": [{"time": moment, "severity": severity, "text": line} for moment, severity, line in view.log],
        "warnings": list(view.warnings),
        "failure": None if view.failure is None else _failure(view.failure, view),
        "cost": None,
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
    keep = thinned(range(len(curve.values)), most) if most else thinned(range(len(curve.values)))
    return {
        "name": curve.name,
        "steps": [curve.steps[index] for index in keep],
        "values": _numbers(curve.values, keep),
        "validation": _numbers(curve.validation, keep) if curve.validation else None,
    }


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
    return [values[index] if math.isfinite(values[index]) else None for index in keep]
