"""Reads what a job reports, `events.jsonl` in its bucket folder, as it grows; all of it is the job's claim."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.claims import read_claim

LONGEST_LINE = 1024 * 1024
_READ = 256 * 1024
# These are the platform's own word: a job that claims them is not heard.
_NOT_FOR_JOBS = frozenset({"state", "log"})


class ReportedEvents:
    """One job's event file from an offset on."""

    def __init__(self, path: Path | None, offset: int) -> None:
        self._path = path
        self.offset = offset

    def read(self, *, ended: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
        """New events, each with the offset after it; of an ended job a last line without newline too."""
        if self._path is None:
            return
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return
        with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123
            if os.fstat(descriptor).st_size < self.offset:
                self.offset = 0  # The job began its file anew.
            file.seek(self.offset)
            rest = b""
            while chunk := file.read(_READ):
                rest += chunk
                *lines, rest = rest.split(b"\n")
                for line in lines:
                    self.offset += len(line) + 1
                    event = _event(line)
                    if event is not None:
                        yield self.offset, event
                if len(rest) > LONGEST_LINE:
                    self.offset += len(rest)
                    rest = b""
            if ended and rest:
                self.offset += len(rest)
                event = _event(rest)
                if event is not None:
                    yield self.offset, event


def _event(line: bytes) -> dict[str, Any] | None:
    if len(line) > LONGEST_LINE:
        return None
    value = read_claim(line)
    if value is None:
        return None
    kind, time = value.get("kind"), value.get("time")
    if not isinstance(kind, str) or kind in _NOT_FOR_JOBS or isinstance(time, bool):
        return None
    return value if isinstance(time, int | float) else None
