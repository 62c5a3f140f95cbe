"""One serving process (docs/serving.md): started, heard out until it answers its health check, watched and ended."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[3]
# The package need not be installed, only importable here: its processes import it from the same place.
_BOOT = (
    "import sys, runpy; sys.path.insert(0, sys.argv.pop(1));"
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)
_STEP_SECONDS = 0.05
_GRACE_SECONDS = 12.0
_LAST_LINES = 5
_LARGEST_LOG = 8 * 1024 * 1024


class StartError(Exception):
    """A serving process that does not serve, and why."""


class StartCancelledError(StartError):
    """Nobody wants the process any more."""


@dataclass(frozen=True, slots=True)
class Start:
    """All that starts one process; `work` is its own folder, `log` takes its standard error."""

    socket: Path
    work: Path
    log: Path
    environment: Mapping[str, str]
    health_route: str
    seconds: float


class ServingProcess:
    """A process that answers its health check; `engine` and `why` are what it said of itself."""

    def __init__(self, process: subprocess.Popen[bytes], start: Start, said: Mapping[str, Any]) -> None:
        self._process = process
        self._start = start
        self.engine = str(said.get("engine", ""))
        self.why = str(said.get("why", ""))
        self.began = time.monotonic()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def socket(self) -> str:
        return str(self._start.socket)

    def wait(self) -> int:
        """Waits for its end; its standard output is told nothing more."""
        return self._process.wait()

    def resident_bytes(self) -> int:
        """The memory that it holds; 0 if it is gone."""
        try:
            fields = Path(f"/proc/{self.pid}/statm").read_text("ascii").split()
            return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):
            return 0

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def end(self) -> None:
        """Asks it to end, and after a while makes it end."""
        _end(self._process)
        self._start.socket.unlink(missing_ok=True)

    def trim_log(self) -> None:
        """Begins its log anew before it fills the disk."""
        with contextlib.suppress(OSError):
            if self._start.log.stat().st_size > _LARGEST_LOG:
                os.truncate(self._start.log, 0)

    def last_words(self) -> str:
        return last_lines(self._start.log)


def python_module(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this package in a fresh interpreter."""
    return [sys.executable, "-P", "-c", _BOOT, str(_ROOT), module, *arguments]


def start_process(start: Start, cancelled: threading.Event) -> ServingProcess:
    """Starts a process and waits until it answers; raises StartError."""
    deadline = time.monotonic() + start.seconds
    with start.log.open("wb") as log:
        process = subprocess.Popen(
            python_module("cloudml_magic.serving"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=start.work,
            env=dict(start.environment),
            start_new_session=True,
        )
    try:
        said = _said(process, start, cancelled, deadline)
        _check_health(process, start, cancelled, deadline)
    except BaseException:
        process.kill()
        _end(process)
        start.socket.unlink(missing_ok=True)
        raise
    return ServingProcess(process, start, said)


def last_lines(log: Path) -> str:
    """The last few lines that a process wrote."""
    try:
        text = log.read_bytes()[-8192:].decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join([line for line in text.splitlines() if line.strip()][-_LAST_LINES:])


def ended_with(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"signal {-code}"


def _said(
    process: subprocess.Popen[bytes], start: Start, cancelled: threading.Event, deadline: float
) -> dict[str, Any]:
    assert process.stdout is not None
    text = b""
    while not text.endswith(b"\n"):
        _check_time(cancelled, deadline, start)
        ready, _, _ = select.select([process.stdout], [], [], _STEP_SECONDS)
        if not ready:
            continue
        chunk = os.read(process.stdout.fileno(), 65536)
        if not chunk:
            raise _silent(process, start)
        text += chunk
    try:
        said: dict[str, Any] = json.loads(text)
    except ValueError:
        raise StartError(f"The serving process said {text[:200]!r} in place of its outcome.") from None
    if said.get("outcome") != "ready":
        raise StartError(" ".join(str(part) for part in said.get("error", [])[1:] if part) or "It gave no reason.")
    return said


def _silent(process: subprocess.Popen[bytes], start: Start) -> StartError:
    code = process.wait()
    words = last_lines(start.log)
    return StartError(
        f"The serving process ended with {ended_with(code)} before it answered."
        + (f" Its last lines:\n{words}" if words else "")
    )


def _check_health(process: subprocess.Popen[bytes], start: Start, cancelled: threading.Event, deadline: float) -> None:
    while not _is_healthy(start):
        _check_time(cancelled, deadline, start)
        if process.poll() is not None:
            raise _silent(process, start)
        cancelled.wait(_STEP_SECONDS)


def _check_time(cancelled: threading.Event, deadline: float, start: Start) -> None:
    if cancelled.is_set():
        raise StartCancelledError("The start was cancelled.")
    if time.monotonic() > deadline:
        words = last_lines(start.log)
        raise StartError(
            f"The model did not answer within {start.seconds:g} seconds."
            + (f" Its last lines:\n{words}" if words else "")
        )


def _is_healthy(start: Start) -> bool:
    connection = _UnixConnection(str(start.socket))
    try:
        connection.request("GET", start.health_route)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect(self._path)


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
