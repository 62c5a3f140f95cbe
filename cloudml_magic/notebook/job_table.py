"""The list of jobs as a cell's output."""

from __future__ import annotations

from collections.abc import Sequence

from cloudml_magic.notebook.table import show_table
from cloudml_magic.records import JobSnapshot
from cloudml_magic.wording import JOB_HEADINGS, job_rows


def show_jobs(jobs: Sequence[JobSnapshot], now: float) -> None:
    """Displays the table."""
    show_table(JOB_HEADINGS, job_rows(jobs, now), "No jobs yet.")
