"""How a job is followed, whichever place it runs at: the seam that the event stream and the cloud's watch fill."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Protocol

from cloudml_magic.records import JobEvent, JobSnapshot


class Reading:
    """The handle of a job that is followed, by which another thread ends the following at once."""

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


class Watch(Protocol):
    """Follows jobs of one place."""

    def follow(self, job: JobSnapshot, log_tail: int | None, reading: Reading) -> Iterator[JobEvent]:
        """What a job reports, from its beginning until it has ended, or until the reading is ended."""
