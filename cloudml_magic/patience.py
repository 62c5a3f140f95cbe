"""Says that something is tried again, to whoever shows it: nobody should look at a cell that says nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str], None]

# What passes sooner is no news.
_QUIET_SECONDS = 1.5
_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Within it, what is tried again is told to the listener."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def said_once(listener: Listener) -> Listener:
    """A listener for lines that stay: what is said again and again is heard once, until something else is said."""
    heard: list[str] = []

    def hear(said: str) -> None:
        if heard != [said]:
            heard[:] = [said]
            listener(said)

    return hear


class Patience:
    """One thing that is tried until it succeeds, or until it is given up."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def failed(self, why: str) -> None:
        """An attempt failed, and another one follows."""
        listener = _LISTENER.get()
        if listener is not None and time.monotonic() - self._began >= _QUIET_SECONDS:
            listener(f"trying again: {why}")
