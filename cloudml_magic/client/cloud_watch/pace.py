"""How often a place is asked, whatever is followed there."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS_PER_CALL = 2.0
_AT_ONCE = 3
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 64.0


class Pace:
    """One call every two seconds in the long run, a few at once after a rest, and longer pauses where it is told so."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._saved = float(_AT_ONCE)
        self._looked = clock()
        self._not_before = 0.0
        self._pause = 0.0

    def due(self) -> float:
        """In how many seconds the next call may be made."""
        now = self._clock()
        self._saved = min(_AT_ONCE, self._saved + (now - self._looked) / SECONDS_PER_CALL)
        self._looked = now
        return max(self._not_before - now, (1.0 - self._saved) * SECONDS_PER_CALL, 0.0)

    def spend(self) -> None:
        """A call is made now."""
        self.due()
        self._saved -= 1.0

    def answered(self) -> None:
        """All is well again."""
        self._pause = 0.0

    def refused(self, asked: float) -> float:
        """Waits twice as long as the last time, and at least as long as was asked; says how long."""
        self._pause = min(self._pause * 2 or _FIRST_PAUSE, _LONGEST_PAUSE)
        wait = max(self._pause, min(asked, 600.0))
        self._not_before = self._clock() + wait
        return wait
