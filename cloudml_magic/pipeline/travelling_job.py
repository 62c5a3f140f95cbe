"""A job for which nothing was free where it was sent goes to the next region, moved by whoever sent it and watches."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from cloudml_magic.client import Reading
from cloudml_magic.connection import Connection
from cloudml_magic.dialects.shortages import region_without_stock
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.journey import Journey
from cloudml_magic.pipeline.sent_job import Job
from cloudml_magic.records import JobEvent, JobSnapshot
from cloudml_magic.states import JobState


class TravellingJob(Job):
    """One submission, and the regions that it has not tried yet; in another kernel it is an ordinary job."""

    def __init__(self, snapshot: JobSnapshot, connection: Connection, journey: Journey) -> None:
        super().__init__(snapshot, connection)
        self._journey = journey
        self._moving = threading.Lock()

    def snapshot(self) -> JobSnapshot:
        """What the platform says now, in the region where the job is by now."""
        found = super().snapshot()
        return self._moved_on(found) if _found_nothing_free(found) else found

    def watch(self, *, log_tail: int | None = None, reading: Reading | None = None) -> Iterator[JobEvent]:
        """What the job reports, wherever it goes."""
        while True:
            before = self._snapshot
            for event in super().watch(log_tail=log_tail, reading=reading):
                if _is_failure(event) and self.snapshot().resource_name != before.resource_name:
                    break
                yield event
            else:
                return
            note = f"Nothing was free in {_region(before)}; sent to {_region(self._snapshot)}."
            yield JobEvent("state", time.time(), {"state": JobState.QUEUED.value, "note": note})

    def _moved_on(self, found: JobSnapshot) -> JobSnapshot:
        # Several may watch; the first one moves it.
        with self._moving:
            if self._snapshot is found and not self._journey.has_ended:
                try:
                    self._snapshot, self._connection = self._journey.next_stop()
                except CloudMLError:
                    # It stays what it is: a job that failed, and says where else there may be a machine.
                    return found
            return self._snapshot


def _found_nothing_free(job: JobSnapshot) -> bool:
    """Whether it failed before it ran, for want of a machine."""
    return (
        job.state is JobState.FAILED
        and job.started is None
        and job.failure is not None
        and region_without_stock(job.failure.message) is not None
    )


def _is_failure(event: JobEvent) -> bool:
    return event.kind == "state" and event.fields.get("state") == JobState.FAILED.value


def _region(job: JobSnapshot) -> str:
    return job.resource_name.split("/")[3]
