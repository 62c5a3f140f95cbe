"""Follows a job's event stream on the local platform, across lost connections and restarts of the platform."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from cloudml_magic.client.access import Access, Locate
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import JobEvent
from cloudml_magic.states import JobState

_SILENCE_SECONDS = 45.0  # the platform sends a heartbeat every 15 seconds
_LONGEST_PAUSE = 5.0
_LATEST_TIME = 1e11


class Reading:
    """The handle of a stream that is read, by which another thread ends it at once."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._socket: socket.socket | None = None

    @property
    def is_ended(self) -> bool:
        return self._ended.is_set()

    def end(self) -> None:
        """Wakes the reader, which waits for the next event, and lets it return."""
        self._ended.set()
        self._hang_up()

    def hold(self, connected: socket.socket) -> None:
        """Says what the reader waits for now."""
        self._socket = connected
        if self.is_ended:
            self._hang_up()

    def pause(self, seconds: float) -> None:
        """Waits before the next attempt, unless it is ended."""
        self._ended.wait(seconds)

    def _hang_up(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def follow(
    locate: Locate, job_id: str, *, log_tail: int | None = None, reading: Reading | None = None
) -> Iterator[JobEvent]:
    """Yields events until the final state; reconnects from where it was when the connection is lost."""
    reading = reading or Reading()
    last_id: str | None = None
    pause = 0.0
    while not reading.is_ended:
        try:
            for event_id, event in _read(locate(pause > 0), job_id, last_id, log_tail, reading):
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


def parse(text: str) -> JobEvent | None:
    """An event from its JSON text, or None: a job may write anything into its own file."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        return None
    moment = document.pop("time", None)
    # Also a whole number may be too large for any clock; NaN is in no range.
    known = isinstance(moment, int | float) and not isinstance(moment, bool) and 0 <= moment <= _LATEST_TIME
    return JobEvent(document.pop("kind"), float(moment) if known else time.time(), document)


def _refused(job_id: str, status: int) -> Exception:
    if status >= 500:
        return http.client.HTTPException(f"HTTP {status}")
    return CloudMLError(
        "not-found" if status == 404 else "permission-denied",
        f"The events of job {job_id} cannot be read.",
        why=f"The platform answered HTTP {status}.",
        next="`%ml_jobs` lists the jobs that there are.",
    )
