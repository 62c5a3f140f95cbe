"""Keeps what a job prints: per chunk a line `time offset stream` in `output.index`, then its bytes in `output.log`.

Secret values are masked, also where one is split between two chunks. A flood keeps its beginning and its end.
"""

from __future__ import annotations

import os
import re
import time
from collections import deque

HEAD_BYTES = 64 << 20
TAIL_BYTES = 64 << 20
MASK = b"********"


class Masker:
    """Replaces secrets in one stream; holds back a tail that may be the beginning of one."""

    def __init__(self, secrets: list[bytes]) -> None:
        # The longest first, so that a secret that contains another is masked whole.
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(re.escape(secret) for secret in self._secrets))
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """What may be shown by now."""
        if not self._secrets:
            return chunk
        text = self._held + chunk
        shown: list[bytes] = []
        done = 0
        for found in self._pattern.finditer(text):
            if self._begins_a_longer_one(text[found.start() :]):
                break
            shown += [text[done : found.start()], MASK]
            done = found.end()
        end = len(text) - self._possible_beginning(text[done:])
        self._held = text[end:]
        return b"".join([*shown, text[done:end]])

    def flush(self) -> bytes:
        """The rest, once the stream has ended."""
        rest, self._held = self._held, b""
        return self._pattern.sub(MASK, rest) if self._secrets else rest

    def _begins_a_longer_one(self, text: bytes) -> bool:
        return any(len(secret) > len(text) and secret.startswith(text) for secret in self._secrets)

    def _possible_beginning(self, text: bytes) -> int:
        longest = 0
        for secret in self._secrets:
            for length in range(min(len(secret) - 1, len(text)), longest, -1):
                if text.endswith(secret[:length]):
                    longest = length
                    break
        return longest


class OutputLog:
    """The log of one replica. Never stops the job: what cannot be written is dropped."""

    def __init__(self, folder: str, secrets: list[bytes], head: int = HEAD_BYTES, tail: int = TAIL_BYTES) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._log = os.open(os.path.join(folder, "output.log"), flags, 0o600)
        self._index = os.open(os.path.join(folder, "output.index"), flags, 0o600)
        self._maskers = {1: Masker(secrets), 2: Masker(secrets)}
        # What a batch printed before its process died and was started again.
        self._size = os.fstat(self._log).st_size
        self._index_is_torn = False
        self._head, self._tail = head, tail
        self._kept: deque[tuple[float, int, bytes]] = deque()
        self._kept_bytes = 0
        self._dropped = 0

    def feed(self, stream: int, chunk: bytes) -> None:
        """Takes what the job printed on stream 1 or 2."""
        self._take(stream, self._maskers[stream].feed(chunk))

    def note(self, line: str) -> None:
        """A line of the platform's own, on standard error."""
        self._take(2, self._maskers[2].flush() + line.encode("utf-8", "backslashreplace") + b"\n")

    def close(self) -> None:
        """Writes what was held back: the ends of secrets that were none, and the tail of a flood."""
        for stream, masker in self._maskers.items():
            self._take(stream, masker.flush())
        if self._dropped:
            self._write(time.time(), 2, f"\n[… {self._dropped:,} bytes of output are left out here …]\n".encode())
        for moment, stream, chunk in self._kept:
            self._write(moment, stream, chunk)
        self._kept.clear()
        os.close(self._log)
        os.close(self._index)

    def _take(self, stream: int, chunk: bytes) -> None:
        if not chunk:
            return
        room = self._head - self._size
        if room > 0:
            self._write(time.time(), stream, chunk[:room])
            chunk = chunk[room:]
        if chunk:
            self._keep(stream, chunk)

    def _keep(self, stream: int, chunk: bytes) -> None:
        self._kept.append((time.time(), stream, chunk))
        self._kept_bytes += len(chunk)
        while self._kept_bytes - len(self._kept[0][2]) > self._tail:
            gone = len(self._kept.popleft()[2])
            self._kept_bytes -= gone
            self._dropped += gone

    def _write(self, moment: float, stream: int, chunk: bytes) -> None:
        try:
            # First, so that whoever reads in between knows the time and stream of every byte that is there.
            self._write_index(f"{moment:.6f} {self._size} {stream}\n".encode())
            self._size += os.write(self._log, chunk)
        except OSError:
            self._size = os.fstat(self._log).st_size

    def _write_index(self, line: bytes) -> None:
        # What is left of a line that found no room must not run into the next one.
        line = b"\n" + line if self._index_is_torn else line
        written = os.write(self._index, line)
        self._index_is_torn = written < len(line)
