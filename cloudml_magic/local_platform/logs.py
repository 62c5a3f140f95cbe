"""A job's output as log lines: what its supervisor captured, cut into lines with time and severity.

Each replica has a folder of its own in its job's. There its supervisor writes `output.log`, the bytes as they came,
and `output.index`, one line `time offset stream` for each piece (stream 1 or 2). A line ends at its newline, or where
the other stream breaks into it.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.claims import read_claim

CHIEF = "workerpool0-0"
_READ = 1024 * 1024
_STANDARD_ERROR = "2"
LONGEST_LINE = 64 * 1024
_SEVERITIES = frozenset({"DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"})


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line; `offset` is where it begins in the captured output and names it for good."""

    offset: int
    end: int
    time: float
    severity: str
    text: str
    payload: dict[str, Any] | None = None


def replicas(job: Path) -> list[str]:
    """The names of a job's replicas that have printed something, the chief first."""
    return sorted(path.parent.name for path in job.glob("workerpool*/output.log"))


@dataclass(slots=True)
class ReplicaLog:
    """Reads the captured output of one replica's folder, again and again as it grows."""

    folder: Path
    _starts: list[int] = field(default_factory=list)
    _pieces: list[tuple[float, str]] = field(default_factory=list)
    _index_read: int = 0

    @property
    def size(self) -> int:
        try:
            return (self.folder / "output.log").stat().st_size
        except OSError:
            return 0

    def lines(self, offset: int = 0, *, ended: bool = False) -> Iterator[LogLine]:
        """The lines from an offset on; of an ended job the last one too if it has no newline."""
        try:
            file = (self.folder / "output.log").open("rb")
        except OSError:
            return
        with file:
            file.seek(offset)
            rest = b""
            while True:
                chunk = file.read(_READ)
                self._read_index()  # After the bytes, so that it knows of each of them.
                rest += chunk
                position = 0
                while (end := self._line_end(rest, position, offset)) is not None:
                    yield self._line(offset + position, rest[position:end])
                    position = end
                rest, offset = rest[position:], offset + position
                if not chunk:
                    break
            if ended and rest:
                yield self._line(offset, rest)

    def tail_offset(self, count: int) -> int:
        """Where the last `count` lines begin."""
        try:
            file = (self.folder / "output.log").open("rb")
        except OSError:
            return 0
        with file:
            position = end = file.seek(0, 2)
            found = b""
            while position > 0 and found.count(b"\n") <= count:
                position = max(0, position - _READ)
                file.seek(position)
                found = file.read(end - position)
        body = found[:-1] if found.endswith(b"\n") else found
        pieces = body.split(b"\n")
        kept = pieces[-count:] if count else []
        return end - sum(len(piece) + 1 for piece in kept) + (0 if found.endswith(b"\n") or not kept else 1)

    def _line_end(self, text: bytes, position: int, offset: int) -> int | None:
        end = text.find(b"\n", position) + 1 or None
        piece = bisect.bisect_right(self._starts, offset + position) - 1
        stream = self._pieces[piece][1] if piece >= 0 else ""
        for later in range(piece + 1, len(self._starts)):
            start = self._starts[later] - offset
            if start >= (end or len(text) + 1):
                break
            if self._pieces[later][1] != stream:
                end = start
                break
        if end is None and len(text) - position < LONGEST_LINE:
            return None
        return min(end or len(text), position + LONGEST_LINE)

    def _line(self, offset: int, raw: bytes) -> LogLine:
        piece = bisect.bisect_right(self._starts, offset) - 1
        time, stream = self._pieces[piece] if piece >= 0 else (0.0, "")
        text = raw.decode("utf-8", "replace").rstrip("\r\n")
        # A progress bar redraws its line; what stands at the end is what a terminal shows.
        text = text.rsplit("\r", 1)[-1]
        severity = "ERROR" if stream == _STANDARD_ERROR else "INFO"
        payload = read_claim(text) if text.startswith("{") and text.endswith("}") else None
        if payload is not None:
            claimed = str(payload.pop("severity", severity)).upper()
            severity = claimed if claimed in _SEVERITIES else severity
            text = str(payload.get("message", text))
        return LogLine(offset, offset + len(raw), time, severity, text, payload)

    def _read_index(self) -> None:
        try:
            with (self.folder / "output.index").open("rb") as file:
                if file.seek(0, 2) < self._index_read:
                    self._starts, self._pieces, self._index_read = [], [], 0
                file.seek(self._index_read)
                text = file.read()
        except OSError:
            return
        complete = text.rfind(b"\n") + 1
        self._index_read += complete
        for line in text[:complete].decode("ascii", "replace").splitlines():
            try:
                time, start, stream = line.split()
                self._starts.append(int(start))
                self._pieces.append((float(time), stream))
            except ValueError:
                continue
