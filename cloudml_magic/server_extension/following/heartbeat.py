"""A sign of life for pages that look while something goes on: they can tell silence from pushes that do not arrive."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from cloudml_magic.server_extension.pushes import JOBS

_SECONDS = 5.0
Send = Callable[[str, dict[str, Any]], None]


class Heartbeat:
    """All pushes go through it; where none did for a while, an empty list of jobs does."""

    def __init__(self, session: str, send: Send, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._send = send
        self._clock = clock
        self._sent = clock()
        self._others: list[Callable[[], bool]] = []

    def send(self, schema: str, data: dict[str, Any]) -> None:
        """Pushes an event."""
        self._sent = self._clock()
        self._send(schema, data)

    def beats_for(self, goes_on: Callable[[], bool]) -> None:
        """Something else than jobs may go on of which pages wait to hear."""
        self._others.append(goes_on)

    def beat(self, jobs_run: bool) -> None:
        """Says that the server lives, if that has not been heard for a while and somebody waits for news."""
        if self._clock() - self._sent < _SECONDS:
            return
        if jobs_run or any(goes_on() for goes_on in self._others):
            self.send(JOBS, {"session": self._session, "jobs": []})
