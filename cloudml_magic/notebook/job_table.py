"""The list of jobs as a cell's output."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from cloudml_magic.records import JobSnapshot
from cloudml_magic.wording import JOB_HEADINGS, job_rows, job_table

_CELL = 'style="text-align:left;padding:3px 14px 3px 0"'


def show_jobs(jobs: Sequence[JobSnapshot], now: float) -> None:
    """Displays the table."""
    from IPython.display import display

    display({"text/plain": job_table(jobs, now), "text/html": _html(job_rows(jobs, now))}, raw=True)


def _html(rows: list[tuple[str, ...]]) -> str:
    if not rows:
        return "<div>No jobs yet.</div>"
    head = "".join(f"<th {_CELL}>{heading}</th>" for heading in JOB_HEADINGS)
    body = "".join("<tr>" + "".join(f"<td {_CELL}>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return f'<table style="font-variant-numeric:tabular-nums"><tr>{head}</tr>{body}</table>'
