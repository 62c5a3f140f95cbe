"""Stops a job that was told to stop (SIGTERM): at the next batch of a `fit`, elsewhere at once."""

from __future__ import annotations

import os
import signal
from types import FrameType

STOPPED = 143
_SECONDS_TO_NEXT_BATCH = 8


class JobStopped(BaseException):
    """Unwinds the user's code; no `except Exception` of theirs holds it up."""


class Stop:
    """Whether the job was told to stop; inside a Keras `fit` the end of the batch is the place to do so."""

    def __init__(self) -> None:
        self.asked = False

    def install(self) -> None:
        """Listens to SIGTERM from here on."""
        signal.signal(signal.SIGTERM, self._on_terminate)
        signal.signal(signal.SIGALRM, self._on_alarm)

    def check(self) -> None:
        """Called at the end of each batch."""
        if self.asked:
            raise JobStopped

    def ignore(self) -> None:
        """From here on the job only saves what there is."""
        signal.alarm(0)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def _on_terminate(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        _tell_supervisor()
        if not _is_in_fit(frame):
            raise JobStopped
        signal.alarm(_SECONDS_TO_NEXT_BATCH)

    def _on_alarm(self, number: int, frame: FrameType | None) -> None:
        raise JobStopped


def _is_in_fit(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name == "fit" and "keras" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


def _tell_supervisor() -> None:
    # With this file there the supervisor waits its full grace before it kills.
    path = os.environ.get("CLOUDML_STOPPING")
    if path:
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        except OSError:
            return


stop = Stop()
