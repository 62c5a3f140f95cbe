"""Which pages are open and which are looked at: leases that pages renew and that end by themselves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_MOST_PAGES = 200
_STALE_SECONDS = 86400.0


class Attendance:
    """The leases of all pages."""

    def __init__(self, lease_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.lease_seconds = lease_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[str, float] = {}
        self._visible: dict[str, float] = {}

    def renew(self, page: str, visible: bool) -> None:
        """A page says that it is open, and whether it is looked at."""
        now = self._clock()
        with self._lock:
            self._drop_ended(now)
            for leases, holds in ((self._open, True), (self._visible, visible)):
                leases.pop(page, None)
                if holds:
                    leases[page] = now + self.lease_seconds
                while len(leases) > _MOST_PAGES:
                    leases.pop(next(iter(leases)))

    @property
    def is_open(self) -> bool:
        """Whether any page is open."""
        return self._holds(self._open)

    @property
    def is_visible(self) -> bool:
        """Whether any page is looked at."""
        return self._holds(self._visible)

    def _holds(self, leases: dict[str, float]) -> bool:
        with self._lock:
            self._drop_ended(self._clock())
            return bool(leases)

    def _drop_ended(self, now: float) -> None:
        for leases in (self._open, self._visible):
            for page in [page for page, until in leases.items() if until <= now]:
                del leases[page]


class AttendedFile:
    """The file by which kernels know that a page draws their cards; touched at most every ten seconds."""

    def __init__(self, file: Callable[[], Path], pause: float = 10.0) -> None:
        self._file = file
        self._pause = pause
        self._lock = threading.Lock()
        self._touched = float("-inf")

    def touch(self) -> None:
        """Says that a page is open now."""
        now = time.monotonic()
        with self._lock:
            if now - self._touched < self._pause:
                return
            self._touched = now
            file = self._file()
            # Without it kernels draw their cards more often than they need to.
            with suppress(OSError):
                file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                file.touch(mode=0o600)

    def remove(self) -> None:
        """The server stops: nobody draws cards from now on."""
        with self._lock, suppress(OSError):
            self._touched = float("inf")
            self._file().unlink(missing_ok=True)


def remove_stale(own: Path) -> None:
    """Takes away the files of servers that ended without doing so."""
    oldest = time.time() - _STALE_SECONDS
    for file in own.parent.glob(f"{own.name.partition('-')[0]}*"):
        with suppress(OSError):
            if file.stat().st_mtime < oldest:
                file.unlink()
