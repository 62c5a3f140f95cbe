"""Puts jobs beside each other: what `%ml_compare` does, from Python."""

from __future__ import annotations

import time
from collections.abc import Iterator

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.lookup import job as job_of
from cloudml_magic.pipeline.metric_curves import MetricCurve, Series
from cloudml_magic.pipeline.sent_job import Job
from cloudml_magic.records import ComparedCurve, ComparedJob, Comparison

MOST_JOBS = 8


def compare(*jobs: str | Job) -> Comparison:
    """The curves, parameters and last metrics of jobs, by name (`digits`, `digits~1`), id, or as variables."""
    found: dict[str, tuple[str, Job]] = {}
    for given in jobs:
        one = job_of(given) if isinstance(given, str) else given
        found.setdefault(one.id, (given if isinstance(given, str) else one.name, one))
    if not 2 <= len(found) <= MOST_JOBS:
        raise CloudMLError(
            "nothing-to-compare" if len(found) < 2 else "too-many-jobs",
            f"{len(found)} jobs are named; from 2 to {MOST_JOBS} can be compared."
            if len(found) != 1
            else "One job is named; a comparison is of at least two.",
            next="Name them: `%ml_compare digits digits~1`; `%ml_jobs` lists what there is.",
        )
    titles = [title for title, _ in found.values()]
    return Comparison(
        tuple(
            _compared(title if titles.count(title) == 1 else f"{title} {one.id}", one) for title, one in found.values()
        )
    )


def _compared(title: str, job: Job) -> ComparedJob:
    snapshot = job.snapshot()
    began = snapshot.started
    return ComparedJob(
        title=title,
        id=job.id,
        state=snapshot.state,
        seconds=(snapshot.ended or time.time()) - began if began else None,
        parameters=dict(job.origin.parameters),
        curves={name: curve for metric in job.curves() for name, curve in _curves(metric)},
    )


def _curves(metric: MetricCurve) -> Iterator[tuple[str, ComparedCurve]]:
    yield metric.name, _curve(metric.series)
    if metric.twin is not None:
        yield f"val_{metric.name}", _curve(metric.twin)


def _curve(series: Series) -> ComparedCurve:
    return ComparedCurve(tuple(series.steps), tuple(series.values))
