"""One warm spare: an interpreter with Keras imported that waits under its own supervisor and takes the next job."""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.jobs.environment import STARTUP
from cloudml_magic.local_platform.jobs.supervision import start_supervisor, tell

_LONGEST_IMPORT = 60.0
_LONGEST_CONFIRMATION = 3.0


class WarmSpare:
    """Holds at most one spare; any thread may call."""

    def __init__(self, folder: Path, plain: Mapping[str, str], idle_seconds: float) -> None:
        self._folder = folder
        self.errors = folder / "supervisor.log"
        self._plain = dict(plain)
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self.backend = plain.get("KERAS_BACKEND") or _configured_backend()

    def refill(self, backend: str | None = None) -> None:
        """Starts a spare for the backend that jobs use now, if there is none."""
        with self._lock:
            if backend is not None and backend != self.backend:
                self._end()
                self.backend = backend
            if self._process is not None and self._process.poll() is None:
                return
            self._end()
            self._folder.mkdir(parents=True, exist_ok=True)
            environment = {**self._plain, "KERAS_BACKEND": self.backend}
            process = start_supervisor(self.errors, answers=True)
            line = {
                "spare": True,
                "command": [sys.executable, str(STARTUP / "spare_child.py")],
                "environment": environment,
                "folder": str(self._folder),
            }
            with contextlib.suppress(BrokenPipeError):
                tell(process, line, last=False)
            self._process = process
            self._started = time.monotonic()

    def take(self, job: dict[str, Any]) -> subprocess.Popen[bytes] | None:
        """Gives the spare a job and returns its supervisor; nothing if there is none or it did not confirm.

        A spare that is still importing is waited for: it is nearer to ready than a cold start would be.
        """
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return None
        if _answered(process, _LONGEST_IMPORT):
            with contextlib.suppress(BrokenPipeError):
                tell(process, job)
                if _confirmed(process, Path(job["replica_folder"])):
                    return process
        _end(process)
        return None

    def end_if_idle(self) -> None:
        """Lets a spare go that nobody has needed for long."""
        with self._lock:
            if self._process is not None and time.monotonic() - self._started > self._idle_seconds:
                self._end()

    def close(self) -> None:
        """Ends the spare."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._process is not None:
            _end(self._process)
            self._process = None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Its supervisor takes the spare down when nobody can give it a job any more."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)


def _answered(process: subprocess.Popen[bytes], seconds: float) -> bool:
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], seconds)
    return bool(readable) and bool(process.stdout.readline())


def _confirmed(process: subprocess.Popen[bytes], replica: Path) -> bool:
    deadline = time.monotonic() + _LONGEST_CONFIRMATION
    while time.monotonic() < deadline:
        if (replica / "process.json").exists():
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.002)
    return False


def _configured_backend() -> str:
    try:
        configured = json.loads((Path.home() / ".keras" / "keras.json").read_text("utf-8"))
        return str(configured.get("backend") or "tensorflow")
    except (OSError, ValueError, AttributeError):
        return "tensorflow"
