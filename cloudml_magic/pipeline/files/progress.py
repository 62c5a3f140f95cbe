"""How far a transfer is: counted by many threads, looked at by whoever shows it."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from cloudml_magic.storage.parallel import StoppedError

# Totals are known of so many files ahead; of a folder of millions they grow while it is sent.
_LOOK_AHEAD = 10_000
_RATE_SECONDS = 5.0
Item = TypeVar("Item")


class Progress:
    """Counts of one transfer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._marks: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])
        self.began = time.monotonic()
        self.found_files = self.found_bytes = self.done_files = self.done_bytes = self.unchanged = 0
        self.is_counted = False
        self.is_stopped = False
        self.left_out: Counter[str] = Counter()

    def found(self, size: int) -> None:
        self.found_files += 1
        self.found_bytes += size

    def is_as_it_was(self, size: int) -> None:
        """A file is there already."""
        self.unchanged += 1
        self.found_bytes -= size

    def moved(self, size: int) -> None:
        """Bytes arrived; any thread may say so, and hears whether to stop."""
        if self.is_stopped:
            raise StoppedError
        with self._lock:
            self.done_bytes += size

    def note_left_out(self, kind: str) -> None:
        self.left_out[kind] += 1

    @property
    def per_second(self) -> float:
        """Bytes in a second, of the last seconds."""
        now = time.monotonic()
        self._marks.append((now, self.done_bytes))
        while len(self._marks) > 2 and now - self._marks[0][0] > _RATE_SECONDS:
            self._marks.popleft()
        began, before = self._marks[0]
        return (self.done_bytes - before) / max(now - began, 1e-6)

    @property
    def share(self) -> float | None:
        """How much of the whole is done; None while the whole is not known."""
        if not self.is_counted or not self.found_bytes:
            return None
        return min(1.0, self.done_bytes / self.found_bytes)

    @property
    def seconds_left(self) -> float | None:
        """None while nobody can tell."""
        rate = self.per_second
        if not self.is_counted or rate <= 0:
            return None
        return max(0, self.found_bytes - self.done_bytes) / rate

    def counted(self, items: Iterable[Item], size: Callable[[Item], int]) -> Iterator[Item]:
        """The same items, looked at some thousands ahead, so that totals are known early."""
        ahead: deque[Item] = deque()
        for item in items:
            self.found(size(item))
            ahead.append(item)
            if len(ahead) >= _LOOK_AHEAD:
                yield ahead.popleft()
        self.is_counted = True
        while ahead:
            yield ahead.popleft()
