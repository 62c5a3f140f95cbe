"""The three representations of a comparison, made together from one view."""

from __future__ import annotations

import math
from typing import Any

from cloudml_magic.cards.comparison.html import html
from cloudml_magic.cards.comparison.text import text
from cloudml_magic.cards.comparison.view import ComparisonView, RowView
from cloudml_magic.cards.job.curves import thinned
from cloudml_magic.records import ComparedCurve, Comparison
from cloudml_magic.wording import clean

COMPARISON_MIME = "application/vnd.cloudml.comparison+json"
SCHEMA = 1


def bundle(comparison: Comparison) -> dict[str, Any]:
    """What a front end chooses from."""
    view = ComparisonView.of(comparison)
    return {"text/plain": text(view), "text/html": html(view), COMPARISON_MIME: document(comparison, view)}


def document(comparison: Comparison, view: ComparisonView) -> dict[str, Any]:
    """The card as data: what schema/comparison.schema.json describes."""
    return {
        "schema": SCHEMA,
        "jobs": [
            {"title": title, "id": clean(job.id), "state": job.state.value}
            for title, job in zip(view.titles, comparison.jobs, strict=True)
        ],
        "metrics": [_row(row) for row in view.metrics],
        "parameters": [_row(row) for row in view.parameters],
        "curves": [
            {
                "name": chart.name,
                "values": [_curve(curve) for curve in chart.curves],
                "validation": [_curve(curve) for curve in chart.validation],
            }
            for chart in view.charts
        ],
    }


def _row(row: RowView) -> dict[str, Any]:
    return {"name": row.name, "differs": row.differs, "cells": list(row.cells)}


def _curve(curve: ComparedCurve | None) -> dict[str, Any] | None:
    if curve is None:
        return None
    points = thinned(
        [(step, value) for step, value in zip(curve.steps, curve.values, strict=True) if math.isfinite(step)]
    )
    return {
        "steps": [step for step, _ in points],
        "values": [value if math.isfinite(value) else None for _, value in points],
    }
