"""The comparison as HTML without scripts: charts side by side, a table whose differing rows stand out."""

from __future__ import annotations

from html import escape

from cloudml_magic.cards.comparison.curves import COLOURS, picture
from cloudml_magic.cards.comparison.view import ChartView, ComparisonView, RowView
from cloudml_magic.cards.frame import LINE, MUTED, framed

_CELL = "text-align:left;padding:2px 22px 2px 0;vertical-align:top;overflow-wrap:anywhere"


def html(view: ComparisonView) -> str:
    """The whole card."""
    charts = "".join(map(_chart, view.charts))
    drawn = (
        f'<div style="display:flex;flex-wrap:wrap;gap:10px 24px;padding:4px 14px 8px">{charts}</div>' if charts else ""
    )
    has_validation = any(curve for chart in view.charts for curve in chart.validation)
    headline = "━ train  ╍ validation" if has_validation else ""
    return framed("Comparison", f"{len(view.titles)} jobs", headline, drawn + _table(view))


def _chart(chart: ChartView) -> str:
    return (
        f'<div style="width:288px"><div style="color:{MUTED};padding:0 4px">{escape(chart.name)}</div>'
        f'<img src="{picture(chart)}" alt="{escape(chart.name)} of each job" width="288" height="128" '
        'style="display:block;margin:0;max-width:none"></div>'
    )


def _table(view: ComparisonView) -> str:
    heads = "".join(
        f'<th style="{_CELL};font-weight:600"><span style="color:{colour}">●</span> {escape(title)}</th>'
        for title, colour in zip(view.titles, COLOURS, strict=False)
    )
    rows = "".join(map(_row, (view.states, view.times, *view.metrics)))
    parameters = "".join(map(_row, view.parameters))
    if parameters:
        span = len(view.titles) + 1
        rule = f'<tr><td colspan="{span}" style="border-top:1px solid {LINE};padding:0"></td></tr>'
        parameters = rule + parameters
    body = f"<tr><td></td>{heads}</tr>{rows}{parameters}"
    return f'<table style="border-collapse:collapse;margin:0 14px 10px">{body}</table>'


def _row(row: RowView) -> str:
    """What is the same for all stands back."""
    style = "font-weight:600" if row.differs else f"color:{MUTED}"
    cells = "".join(f'<td style="{_CELL};{style}">{escape(cell)}</td>' for cell in row.cells)
    return f'<tr><td style="{_CELL};color:{MUTED}">{escape(row.name)}</td>{cells}</tr>'
