"""The views of jobs that have ended, which change no more; as many as fit, the latest asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Container

from cloudml_magic.cards.job import JobView

_MOST_JOBS = 1000
_MOST_VALUES = 1_000_000


class EndedJobs:
    """Views by id, each with the number of the delta that led to it."""

    def __init__(self, most_jobs: int = _MOST_JOBS, most_values: int = _MOST_VALUES) -> None:
        self._most_jobs = most_jobs
        self._most_values = most_values
        self._lock = threading.Lock()
        self._views: OrderedDict[str, tuple[int, JobView]] = OrderedDict()
        self._values = 0

    def get(self, job_id: str) -> tuple[int, JobView] | None:
        """What is known of a job."""
        with self._lock:
            if job_id in self._views:
                self._views.move_to_end(job_id)
            return self._views.get(job_id)

    def keep(self, seq: int, view: JobView) -> None:
        """Remembers a job that has ended; the one that nobody asked for the longest is forgotten for it."""
        with self._lock:
            self._forget(view.id)
            self._views[view.id] = (seq, view)
            self._values += _size(view)
            while len(self._views) > self._most_jobs or (self._values > self._most_values and len(self._views) > 1):
                self._forget(next(iter(self._views)))

    def forget(self, job_id: str) -> None:
        """The job was deleted."""
        with self._lock:
            self._forget(job_id)

    def forget_others(self, there: Container[str]) -> None:
        """Forgets jobs that are not there any more."""
        with self._lock:
            for job_id in [job_id for job_id in self._views if job_id not in there]:
                self._forget(job_id)

    def _forget(self, job_id: str) -> None:
        held = self._views.pop(job_id, None)
        if held is not None:
            self._values -= _size(held[1])


def _size(view: JobView) -> int:
    return sum(len(curve.values) for curve in view.curves)
