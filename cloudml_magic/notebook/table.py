"""Rows under headings as a cell's output: aligned text, and an HTML table that keeps the front end's own style."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from cloudml_magic.wording import aligned

_CELL = 'style="text-align:left;vertical-align:top;padding:3px 14px 3px 0"'


def show_table(headings: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> None:
    """Displays the rows, or a word where there are none."""
    from IPython.display import display

    if not rows:
        display({"text/plain": empty, "text/html": f"<div>{escape(empty)}</div>"}, raw=True)
        return
    display({"text/plain": aligned([headings, *rows]), "text/html": html_table(headings, rows)}, raw=True)


def html_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table without scripts or classes."""
    head = "".join(f"<th {_CELL}>{escape(heading)}</th>" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td {_CELL}>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return f'<table style="font-variant-numeric:tabular-nums"><tr>{head}</tr>{body}</table>'
