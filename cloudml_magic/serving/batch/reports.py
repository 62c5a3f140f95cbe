"""What the process says while it works: events for the card, lines for the log, and at the end how it went."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from pathlib import Path

EVENTS = "events.jsonl"
_EVENT_SECONDS, _LINE_SECONDS = 0.2, 10.0


def say(line: str) -> None:
    """A line of the job's log."""
    # Whoever reads the log may be gone; the work is not done for the log.
    with suppress(OSError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


class Progress:
    """Counts the rows of all shares; five events a second at most, a line now and then."""

    def __init__(self, folder: Path, total: int | None, shares: int) -> None:
        self._file = folder / EVENTS
        self._total = total
        self._counts = [(0, 0)] * shares
        self._next_event = 0.0
        self._next_line = time.monotonic() + _LINE_SECONDS

    def update(self, share: int, done: int, failed: int) -> None:
        """Notes how far a share is."""
        self._counts[share] = (done, failed)
        now = time.monotonic()
        if now >= self._next_event:
            self._next_event = now + _EVENT_SECONDS
            self.tell()
        if now >= self._next_line:
            self._next_line = now + _LINE_SECONDS
            say(f"{self._words()}.")

    def tell(self) -> None:
        """An event, now."""
        done, failed = (sum(column) for column in zip(*self._counts, strict=True))
        event = {"kind": "rows", "time": time.time(), "done": done, "total": self._total, "failed": failed}
        # On a full disk the outputs say so.
        with suppress(OSError), self._file.open("a", encoding="ascii") as file:
            file.write(json.dumps(event) + "\n")

    def _words(self) -> str:
        done, failed = (sum(column) for column in zip(*self._counts, strict=True))
        return f"{counted(done, self._total)} done" + (f", {failed:,} of them failed" if failed else "")


def counted(done: int, total: int | None) -> str:
    """`34,000 of 100,000 instances`."""
    return f"{done:,} instances" if total is None else f"{done:,} of {total:,} instances"
