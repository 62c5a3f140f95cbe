"""Follows a job's event stream on the local platform, across lost connections and restarts of the platform."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

from cloudml_magic.client.access import Access, Locate
from cloudml_magic.client.event_lines import parse
from cloudml_magic.client.watching import Reading
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import JobEvent, JobSnapshot
from cloudml_magic.states import JobState

_SILENCE_SECONDS = 45.0  # the platform sends a heartbeat every 15 seconds
_LONGEST_PAUSE = 5.0


class EventStream:
    """The watch of a place that sends a live stream of events."""

    def __init__(self, locate: Locate) -> None:
        self._locate = locate

    def follow(self, job: JobSnapshot, log_tail: int | None, reading: Reading) -> Iterator[JobEvent]:
        """Yields events until the final state; reconnects from where it was when the connection is lost."""
        last_id: str | None = None
        pause = 0.0
        while not reading.is_ended:
            try:
                for event_id, event in _read(self._locate(pause > 0), job.id, last_id, log_tail, reading):
                    last_id, pause = event_id or last_id, 0.0
                    yield event
                    if event.kind == "state" and _is_final(event):
                        return
            except (OSError, http.client.HTTPException):
                pass
            pause = min(pause * 2 or 0.05, _LONGEST_PAUSE)
            reading.pause(pause)


def _is_final(event: JobEvent) -> bool:
    try:
        return JobState(str(event.fields.get("state"))).is_final
    except ValueError:
        return False


def _read(
    access: Access, job_id: str, last_id: str | None, log_tail: int | None, reading: Reading
) -> Iterator[tuple[str | None, JobEvent]]:
    connection = http.client.HTTPConnection(urlsplit(access.url).netloc, timeout=_SILENCE_SECONDS)
    headers = {"Authorization": f"Bearer {access.token}", "Accept": "text/event-stream"}
    if last_id:
        headers["Last-Event-ID"] = last_id
    query = "" if log_tail is None else f"?log_tail={log_tail}"
    try:
        connection.connect()
        reading.hold(connection.sock)
        connection.request("GET", f"/cloudml/v1/jobs/{job_id}/events{query}", headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise _refused(job_id, answer.status)
        yield from _events(answer)
    finally:
        connection.close()


def _events(answer: http.client.HTTPResponse) -> Iterator[tuple[str | None, JobEvent]]:
    event_id: str | None = None
    data: list[str] = []
    while line := answer.readline():
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if not text:
            if data and (event := parse("\n".join(data))):
                yield event_id, event
            data = []
            continue
        field, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if field == "id":
            event_id = value
        elif field == "data":
            data.append(value)


def _refused(job_id: str, status: int) -> Exception:
    if status >= 500:
        return http.client.HTTPException(f"HTTP {status}")
    return CloudMLError(
        "not-found" if status == 404 else "permission-denied",
        f"The events of job {job_id} cannot be read.",
        why=f"The platform answered HTTP {status}.",
        next="`%ml_jobs` lists the jobs that there are.",
    )
