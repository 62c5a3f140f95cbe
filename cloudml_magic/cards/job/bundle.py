"""The three representations of a card, made together from one view so that none is older than another."""

from __future__ import annotations

import math
from typing import Any

from cloudml_magic.cards.job.curves import thinned
from cloudml_magic.cards.job.html import html
from cloudml_magic.cards.job.text import text
from cloudml_magic.cards.job.view import JobView

JOB_MIME = "application/vnd.cloudml.job+json"
SCHEMA = 1


def bundle(view: JobView) -> dict[str, Any]:
    """What a front end chooses from."""
    return {"text/plain": text(view), "text/html": html(view), JOB_MIME: document(view)}


def document(view: JobView) -> dict[str, Any]:
    """The card as data, schema 1."""
    metrics: dict[str, list[float | None]] = {}
    for curve in view.curves:
        metrics[curve.name] = _numbers(curve.values)
        if curve.validation:
            metrics[f"val_{curve.name}"] = _numbers(curve.validation)
    failure = view.failure
    return {
        "schema": SCHEMA,
        "id": view.id,
        "name": view.name,
        "state": view.state.value,
        "where": view.where,
        "note": view.note,
        "elapsed": view.elapsed,
        "remaining": view.left,
        "epoch": view.epoch,
        "epochs": view.epochs,
        "step": view.step,
        "steps": view.steps,
        "rows": view.rows or None,
        "metrics": metrics,
        "log_tail": [{"time": moment, "severity": severity, "text": line} for moment, severity, line in view.log],
        "warnings": list(view.warnings),
        "failure": None
        if failure is None
        else {
            "message": failure.message,
            "cell": failure.cell,
            "line": failure.line,
            "source_line": failure.source_line,
            "next": failure.next,
        },
        "cost": None,
        "updated_at": view.updated,
    }


def _numbers(values: tuple[float, ...]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in thinned(values)]
