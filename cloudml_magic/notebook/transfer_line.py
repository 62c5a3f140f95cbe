"""A transfer as a bar with its rate and the time left: in a notebook redrawn in place, in a terminal as one line."""

from __future__ import annotations

import sys
import time
import uuid
from html import escape
from typing import Any

from cloudml_magic.pipeline.files import Copied, Progress
from cloudml_magic.wording import bytes_words, duration

_REDRAW_SECONDS = 0.2
_QUIET_SECONDS = 0.5
_WIDTH = 24


class TransferLine:
    """Shows how far something is; what takes no time shows nothing."""

    def __init__(self, shell: Any, doing: str) -> None:
        self._is_notebook = getattr(shell, "kernel", None) is not None
        self._doing = doing
        self._began = self._drawn = time.monotonic()
        self._display_id = ""
        self._note = ""

    def show(self, progress: Progress) -> None:
        """Draws anew, five times a second at most."""
        now = time.monotonic()
        if now - self._began < _QUIET_SECONDS or now - self._drawn < _REDRAW_SECONDS:
            return
        self._drawn = now
        share = progress.share
        line = f"{self._doing} · {words_of(progress)}{self._note}"
        self._note = ""
        if self._is_notebook:
            self._display(line, share)
        elif sys.stdout.isatty():
            filled = round(_WIDTH * (share or 0))
            print(f"\r\x1b[K{'━' * filled}{'╌' * (_WIDTH - filled)} {line}", end="", flush=True)
            self._display_id = "terminal"

    def say(self, note: str) -> None:
        """Tells beside the numbers that something is tried again."""
        self._note = f" · {note}"

    def end(self, text: str) -> None:
        """Puts the outcome where the bar was; with an empty text the error below says it."""
        if self._is_notebook and self._display_id:
            from IPython.display import update_display

            update_display(_bundle(text, None), raw=True, display_id=self._display_id)
            return
        if self._display_id:
            print("\r\x1b[K", end="")
        if text:
            print(text)

    def _display(self, line: str, share: float | None) -> None:
        from IPython.display import display, update_display

        bundle = _bundle(line, share)
        if self._display_id:
            update_display(bundle, raw=True, display_id=self._display_id)
        else:
            self._display_id = uuid.uuid4().hex
            display(bundle, raw=True, display_id=self._display_id)


def words_of(progress: Progress) -> str:
    """`312 of 1,000 files · 6.2 MB of 20.0 MB · 8.1 MB/s · 2 s left`."""
    of = f" of {progress.found_files:,}" if progress.is_counted else ""
    parts = [f"{progress.done_files + progress.unchanged:,}{of} files"]
    total = f" of {bytes_words(progress.found_bytes)}" if progress.is_counted else ""
    parts.append(f"{bytes_words(progress.done_bytes)}{total}")
    parts.append(f"{bytes_words(progress.per_second)}/s")
    left = progress.seconds_left
    if left is not None:
        parts.append(f"{duration(left)} left")
    return " · ".join(parts)


def outcome_of(done: str, copied: Copied) -> str:
    """`Copied 1,000 files, 20.0 MB, in 1.2 s · 3 there already · left out: 2 × empty folder`."""
    files = "1 file" if copied.files == 1 else f"{copied.files:,} files"
    parts = [f"{done} {files}, {bytes_words(copied.size)}, in {_seconds(copied.seconds)}"]
    if copied.unchanged:
        parts.append(f"{copied.unchanged:,} there already")
    if copied.left_out:
        kinds = ", ".join(f"{count:,} × {kind}" for kind, count in sorted(copied.left_out.items()))
        parts.append(f"left out: {kinds}")
    return " · ".join(parts)


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


def _bundle(line: str, share: float | None) -> dict[str, str]:
    bar = ""
    if share is not None:
        bar = f'<progress value="{share:.4f}" max="1" style="width:220px;vertical-align:middle"></progress> '
    html = f'<div style="font-variant-numeric:tabular-nums">{bar}{escape(line)}</div>' if line else ""
    return {"text/plain": line, "text/html": html}
