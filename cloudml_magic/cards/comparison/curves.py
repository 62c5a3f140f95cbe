"""The curves of several jobs over each other, as a picture that survives every sanitizer."""

from __future__ import annotations

import math

from cloudml_magic.cards.comparison.view import ChartView
from cloudml_magic.cards.job.curves import drawing, line, thinned
from cloudml_magic.records import ComparedCurve

# Readable on light and dark alike, for a picture cannot follow the theme of the page around it.
COLOURS = ("#2f80e0", "#d9822b", "#2a9d5c", "#b052c0", "#d04545", "#2aa0a8", "#94862f", "#808890")


def picture(chart: ChartView, width: int = 280, height: int = 120) -> str:
    """One line a job, the validation dashed in the same colour; all of them on one scale."""
    there = [curve for curve in (*chart.curves, *chart.validation) if curve is not None]
    finite = [value for curve in there for value in curve.values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    first = min((curve.steps[0] for curve in there if curve.steps), default=0.0)
    last = max((curve.steps[-1] for curve in there if curve.steps), default=1.0)

    def points(curve: ComparedCurve) -> list[tuple[float, float]]:
        return [
            (
                width * (step - first) / ((last - first) or 1.0),
                height * (1 - (value - low) / ((high - low) or 1.0)),
            )
            for step, value in thinned(list(zip(curve.steps, curve.values, strict=True)))
            if math.isfinite(value) and math.isfinite(step)
        ]

    parts = []
    for curves, is_dashed in ((chart.curves, False), (chart.validation, True)):
        for curve, colour in zip(curves, COLOURS, strict=False):
            if curve is not None:
                parts.append(line(points(curve), colour, is_dashed=is_dashed))
    return drawing(parts, width, height)
