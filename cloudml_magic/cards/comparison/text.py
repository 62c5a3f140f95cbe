"""The comparison as aligned text; a star marks what differs."""

from __future__ import annotations

from cloudml_magic.cards.comparison.view import ComparisonView, RowView
from cloudml_magic.cards.job.curves import sparkline
from cloudml_magic.wording import aligned


def text(view: ComparisonView) -> str:
    """The whole card."""
    rows = [["", *view.titles], *map(_row, (view.states, view.times, *view.metrics, *view.parameters))]
    rows += [
        [f"  {chart.name}", *(sparkline(curve.values) if curve else "" for curve in chart.curves)]
        for chart in view.charts
    ]
    return aligned(rows)


def _row(row: RowView) -> list[str]:
    return [f"{'*' if row.differs else ' '} {row.name}", *row.cells]
