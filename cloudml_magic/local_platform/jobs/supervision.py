"""The platform's side of a supervisor: starts it, finds it again, asks it to end its job, reads how that ended."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.jobs import process_table

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_HEAD_BYTES = _TAIL_BYTES = 64 << 20


def start_supervisor(errors: Path, *, answers: bool = False) -> subprocess.Popen[bytes]:
    """A supervisor that waits for its line on standard input; in a session of its own, so that it outlives us."""
    with errors.open("ab") as file:
        # Held by the supervisor as long as it lives, whoever else dies.
        fcntl.flock(file, fcntl.LOCK_SH)
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(_SUPERVISOR)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if answers else subprocess.DEVNULL,
            stderr=file,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )


def is_held(errors: Path) -> bool:
    """Whether a supervisor that was started with this file for its errors still lives."""
    try:
        with errors.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def tell(supervisor: subprocess.Popen[bytes], line: dict[str, Any], *, last: bool = True) -> None:
    """Hands a line to a supervisor; BrokenPipeError if it is gone."""
    assert supervisor.stdin is not None
    supervisor.stdin.write(json.dumps(line).encode() + b"\n")
    supervisor.stdin.flush()
    if last:
        supervisor.stdin.close()


def assignment(
    replica_folder: Path,
    command: list[str],
    environment: dict[str, str],
    *,
    paths: list[Path] | None = None,
    secrets: list[str] | None = None,
    notes: list[str] | None = None,
    timeout_seconds: float | None = None,
    grace_seconds: float = 30.0,
) -> dict[str, Any]:
    """What a supervisor has to know of a replica."""
    return {
        "replica_folder": str(replica_folder),
        "command": command,
        "environment": environment,
        "folder": str(replica_folder / "work"),
        "paths": [str(path) for path in paths or []],
        "secrets": secrets or [],
        "notes": notes or [],
        "timeout_seconds": timeout_seconds,
        "grace_seconds": grace_seconds,
        "head_bytes": _HEAD_BYTES,
        "tail_bytes": _TAIL_BYTES,
    }


class SupervisedReplica:
    """A replica's folder and the supervisor that serves it, ours or one that an earlier platform started."""

    def __init__(self, name: str, folder: Path, supervisor: subprocess.Popen[bytes] | None = None) -> None:
        self.name = name
        self.folder = folder
        self._supervisor = supervisor
        self.descriptor: int | None = None
        pid = supervisor.pid if supervisor is not None else self._living_pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                self.descriptor = os.pidfd_open(pid)

    @property
    def is_of_this_boot(self) -> bool:
        identity = _read(self.folder / "process.json")
        return identity is not None and identity["boot"] == process_table.boot_id()

    def ended(self) -> dict[str, Any] | None:
        """How it ended, if its supervisor has said so."""
        return _read(self.folder / "exit.json")

    def ask_to_end(self) -> None:
        """Tells the supervisor to end the job's processes; it takes all of them down."""
        with contextlib.suppress(OSError):
            # On a full disk the signal alone has to do.
            (self.folder / "cancel").touch()
        if self.descriptor is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.descriptor, signal.SIGTERM)

    def release(self) -> None:
        """The supervisor has ended: nothing of it is kept, nothing that it lost lives on."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None
        if self._supervisor is not None:
            self._supervisor.wait()
            if self._supervisor.stdout is not None:
                self._supervisor.stdout.close()
        if self.ended() is None:
            for pid in process_table.with_variable(f"CLOUDML_REPLICA={self.folder}"):
                process_table.send(pid, signal.SIGKILL)

    def _living_pid(self) -> int | None:
        identity = _read(self.folder / "process.json")
        if identity is None or not process_table.is_alive(identity["pid"], identity["started"], identity["boot"]):
            return None
        return int(identity["pid"])


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text("ascii"))
        return found
    except (FileNotFoundError, ValueError):
        return None
