"""Metric curves as pictures: SVG in a data URI, since that survives every sanitizer and needs no script."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Sequence
from typing import TypeVar

from cloudml_magic.cards.job.view import Curve

Value = TypeVar("Value")

# Readable on light and dark alike, for a picture cannot follow the theme of the page around it.
TRAIN, VALIDATION, GRID = "#2f80e0", "#d9822b", "#80808040"
_MOST_POINTS = 200
_BLOCKS = "▁▂▃▄▅▆▇█"


def thinned(values: Sequence[Value], most: int = _MOST_POINTS) -> list[Value]:
    """At most so many of the values, first and last among them."""
    if len(values) <= most:
        return list(values)
    return [values[round(index * (len(values) - 1) / (most - 1))] for index in range(most)]


def picture(curve: Curve, epochs: int | None, width: int = 250, height: int = 84) -> str:
    """A curve and its validation twin as a data URI; the whole width is the whole training."""
    train, validation = thinned(curve.values), thinned(curve.validation or ())
    finite = [value for value in (*train, *validation) if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    scale = _Scale(width, height, low, high, max((epochs or 0), len(curve.values), 2), len(curve.values))
    parts = [line(scale.points(train), TRAIN)]
    if validation:
        parts.append(line(scale.points(validation), VALIDATION, is_dashed=True))
    if points := scale.points(train):
        x, y = points[-1]
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{TRAIN}"/>')
    return drawing(parts, width, height)


def drawing(parts: Sequence[str], width: int, height: int) -> str:
    """Lines over a grid as a data URI."""
    grid = [f'<path d="M0 {y}H{width}" stroke="{GRID}"/>' for y in (0, height / 2, height)]
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 {width + 8} {height + 8}" '
        f'width="{width + 8}" height="{height + 8}" fill="none" stroke-width="1.7" stroke-linejoin="round">'
        + "".join([*grid, *parts])
        + "</svg>"
    )
    return "data:image/svg+xml;base64," + b64encode(picture.encode()).decode()


def line(points: Sequence[tuple[float, float]], colour: str, *, is_dashed: bool = False) -> str:
    """One line of a drawing."""
    if not points:
        return ""
    steps = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dashes = ' stroke-dasharray="4 3"' if is_dashed else ""
    return f'<path d="M{steps}" stroke="{colour}"{dashes}/>'


def sparkline(values: Sequence[float], most: int = 24) -> str:
    """A curve in one line of text."""
    points = thinned(values, most)
    finite = [value for value in points if math.isfinite(value)]
    if not finite:
        return ""
    low, span = min(finite), (max(finite) - min(finite)) or 1.0
    return "".join(_BLOCKS[round((value - low) / span * 7)] if math.isfinite(value) else " " for value in points)


class _Scale:
    def __init__(self, width: int, height: int, low: float, high: float, epochs: int, shown: int) -> None:
        self._right = width * (shown - 1) / (epochs - 1)
        self._height = height
        self._low = low
        self._span = (high - low) or 1.0

    def points(self, values: Sequence[float]) -> list[tuple[float, float]]:
        last = max(1, len(values) - 1)
        return [
            (index * self._right / last, self._height * (1 - (value - self._low) / self._span))
            for index, value in enumerate(values)
            if math.isfinite(value)
        ]
