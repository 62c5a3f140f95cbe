"""Starts the platform at its first use, finds it again from everywhere, and stops it: one per user and HOME."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import importlib.util
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.local_platform.address import PlatformAddress, read_address
from cloudml_magic.local_platform.jobs.process_table import boot_id, is_alive, start_time
from cloudml_magic.local_platform.settings import PlatformSettings
from cloudml_magic.places import PlatformPlaces
from cloudml_magic.version import VERSION

__all__ = ["PlatformAddress", "ensure_running", "find_running", "reset", "status", "stop"]

_ROOT = Path(__file__).resolve().parents[2]
# The package need not be installed, only importable here: the server imports it from the same place.
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    "from cloudml_magic.local_platform.server_process import main; main(sys.argv[2])"
)
_STEP_SECONDS = 0.005
_NEEDED = ("uvicorn", "httptools", "keras", "uv")


def find_running() -> PlatformAddress | None:
    """The platform of the current HOME, if it runs."""
    return read_address(PlatformPlaces.of_this_user())


def ensure_running(timeout: float = 20.0, settings: PlatformSettings | None = None) -> PlatformAddress:
    """The platform of the current HOME, started if it does not run; one of another version is replaced when idle."""
    places = PlatformPlaces.of_this_user()
    found = read_address(places)
    if found is not None:
        if found.version == VERSION or not _is_idle(found):
            return found
        stop()
    _check_installed()
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        outcome = _start(places, settings or PlatformSettings.from_environment(), deadline)
        if outcome["outcome"] == "error":
            raise CloudMLError(*outcome["error"][:2], why=outcome["error"][2], next=outcome["error"][3])
        # Another server holds the lock: it is about to say where it listens, or about to end.
        patience = min(deadline, time.monotonic() + 2.0)
        while time.monotonic() < patience:
            found = read_address(places)
            if found is not None:
                return found
            time.sleep(_STEP_SECONDS)
    raise CloudMLError(
        "platform-start-slow",
        f"The local platform did not start within {timeout:g} seconds.",
        why="Its process runs, but did not answer.",
        next="Try again, and see its log: cloudml platform logs",
    )


def status(address: PlatformAddress) -> dict[str, Any]:
    """What a running platform says of itself: version, jobs, disk."""
    answer: dict[str, Any] = _ask(address, "GET", "/cloudml/v1/status")
    return answer


def stop(timeout: float = 10.0) -> bool:
    """Stops the platform of the current HOME and its predictors; jobs run on. False if it did not run."""
    places = PlatformPlaces.of_this_user()
    found = read_address(places)
    if found is None:
        return False
    started = start_time(found.pid)
    with contextlib.suppress(CloudMLError):
        _ask(found, "POST", "/cloudml/v1/stop")
    deadline = time.monotonic() + timeout
    while is_alive(found.pid, started, boot_id()):
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(found.pid, signal.SIGKILL)
            deadline += timeout
        time.sleep(_STEP_SECONDS)
    return True


def reset() -> None:
    """Forgets jobs, models, endpoints and what is known of objects; files in buckets stay. Refused while jobs run."""
    found = find_running()
    if found is not None and (running := status(found)["runningJobs"]):
        raise CloudMLError(
            "platform-busy",
            f"The local platform runs {running} job{'s' if running > 1 else ''}.",
            why="A reset would lose them.",
            next="Cancel them or wait for them: cloudml jobs",
        )
    stop()
    places = PlatformPlaces.of_this_user()
    with _lock(places):
        for name in ("platform.sqlite", "platform.sqlite-wal", "platform.sqlite-shm", "address.json"):
            (places.state / name).unlink(missing_ok=True)
        for folder in (places.jobs, places.spare, places.predictors, places.engines, places.side_store):
            shutil.rmtree(folder, ignore_errors=True)


def _check_installed() -> None:
    lacking = [name for name in _NEEDED if name not in sys.modules and importlib.util.find_spec(name) is None]
    if lacking:
        raise CloudMLError(
            "local-platform-not-installed",
            "The local platform cannot start.",
            why=f"Not installed here: {', '.join(lacking)}.",
            next="pip install 'cloudml-magic[local]'",
        )


def _start(places: PlatformPlaces, settings: PlatformSettings, deadline: float) -> dict[str, Any]:
    """Starts a server that outlives this process; returns what it says of its start."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(
        [sys.executable, "-c", _BOOT, str(_ROOT), settings.as_json()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=environment,
        start_new_session=True,
    )
    assert process.stdout is not None
    with process.stdout as pipe:
        line = _line(pipe.fileno(), deadline)
    _abandon(process)
    try:
        outcome: dict[str, Any] = json.loads(line)
        return outcome
    except ValueError:
        return {"outcome": "silent"}


def _line(descriptor: int, deadline: float) -> bytes:
    text = b""
    while not text.endswith(b"\n"):
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        chunk = os.read(descriptor, 4096) if ready else b""
        if not chunk:
            break
        text += chunk
    return text


def _abandon(process: subprocess.Popen[bytes]) -> None:
    """Leaves the server to itself: no warning when this process ends before it, no zombie while both live."""
    threading.Thread(target=process.wait, name="local-platform", daemon=True).start()


def _is_idle(address: PlatformAddress) -> bool:
    try:
        said = status(address)
        return not said["runningJobs"] and not said["queuedJobs"]
    except (CloudMLError, KeyError):
        return False


def _ask(address: PlatformAddress, verb: str, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=10)
    try:
        connection.request(verb, path, headers={"Authorization": f"Bearer {address.token}"})
        answer = connection.getresponse()
        content = json.loads(answer.read())
        if answer.status != 200:
            raise CloudMLError("platform-refused", content["error"]["message"])
        return content
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise CloudMLError(
            "platform-unreachable",
            f"The local platform at {address.endpoint} does not answer.",
            why=f"{type(problem).__name__}: {problem}",
            next="Start it again: cloudml platform stop, then cloudml platform start",
        ) from None
    finally:
        connection.close()


@contextlib.contextmanager
def _lock(places: PlatformPlaces) -> Iterator[None]:
    places.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with places.lock_file.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
