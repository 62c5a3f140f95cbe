"""The server's own process: takes the lock, opens the platform, says where it listens, and ends by itself when idle.

Its starter reads one JSON line from its standard output: that it is ready, that another one runs, or what is wrong.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import json
import logging
import os
import signal
import socket
import sqlite3
import sys
import time
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.local_platform.address import last_port, lasting_token, write_address
from cloudml_magic.local_platform.disk import is_disk_full
from cloudml_magic.local_platform.settings import PREFIX, PlatformSettings
from cloudml_magic.places import PlatformPlaces

_log = logging.getLogger("cloudml_magic.local_platform")


def main(settings_text: str) -> None:
    """Runs the server of the current HOME until it is stopped or idle."""
    os.umask(0o077)
    try:
        settings = PlatformSettings(**json.loads(settings_text))
        places = PlatformPlaces.of_this_user()
        with _opened(places) as lock:
            if lock is None:
                _tell({"outcome": "another"})
                return
            _serve(places, settings)
    except CloudMLError as problem:
        _tell({"outcome": "error", "error": [problem.reference, problem.what, problem.why, problem.next]})
        sys.exit(1)
    except Exception as problem:
        _log.exception("the platform could not start")
        error = starting_problem(problem)
        _tell({"outcome": "error", "error": [error.reference, error.what, error.why, error.next]})
        sys.exit(1)


def starting_problem(problem: Exception) -> CloudMLError:
    """Why the platform cannot start, in one message."""
    what = "The local platform cannot start."
    full = "Free some space, or point XDG_STATE_HOME and XDG_DATA_HOME to another disk."
    if isinstance(problem, ModuleNotFoundError):
        return CloudMLError(
            "platform-not-installed",
            what,
            why=f"The package {problem.name} is not installed here; the base install brings none of what it runs on.",
            next="pip install 'cloudml-magic[local]'",
        )
    if is_disk_full(problem):
        return CloudMLError("platform-disk-full", what, why="The disk is full.", next=full)
    if isinstance(problem, OSError) and problem.filename:
        return CloudMLError(
            "platform-folder-unwritable",
            what,
            why=f"{problem.strerror}: {problem.filename}",
            next="Make the folder yours and writable, or point XDG_STATE_HOME and XDG_DATA_HOME to folders that are.",
        )
    if isinstance(problem, sqlite3.DatabaseError):
        return CloudMLError(
            "platform-database-damaged",
            what,
            why=f"Its database cannot be read: {problem}",
            next="Start it anew, without its jobs but with its buckets: cloudml platform reset",
        )
    return CloudMLError("platform-start-failed", what, why=f"{type(problem).__name__}: {problem}",
                        next="See its log: cloudml platform logs")  # fmt: skip


@contextlib.contextmanager
def _opened(places: PlatformPlaces) -> Any:
    """The lock of this platform, held while the server lives; None if another server holds it."""
    for folder in (places.state, places.data, places.cache):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(places.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        handler = RotatingFileHandler(places.server_log, maxBytes=4 * 1024 * 1024, backupCount=2, delay=True)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        logging.getLogger().addHandler(handler)
        logging.getLogger().setLevel(logging.INFO)
        yield descriptor
    finally:
        os.close(descriptor)


def _serve(places: PlatformPlaces, settings: PlatformSettings) -> None:
    from cloudml_magic.local_platform.jobs.runner import JobRunner
    from cloudml_magic.local_platform.platform import LocalPlatform
    from cloudml_magic.local_platform.server import PlatformServer
    from cloudml_magic.version import VERSION

    listening = _listening(settings.port, last_port(places))
    listening_port = listening.getsockname()[1]
    token = lasting_token(places)
    server: PlatformServer | None = None

    def stop(*_: object) -> None:
        if server is not None:
            server.stop()

    platform = LocalPlatform(
        places,
        lambda resources: JobRunner(places, resources, places.buckets, settings),
        stop=stop,
        settings=settings,
    )
    try:
        server = PlatformServer(platform, token, listening)
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        idle = _Idle(server, platform, settings.idle_seconds)

        def ready() -> None:
            platform.start()
            # What is there now stays: nobody needs to look through Google's documents for garbage again and again.
            gc.collect()
            gc.freeze()
            write_address(places, listening_port, VERSION)
            _log.info("listening on port %s, process %s", listening_port, os.getpid())
            _tell({"outcome": "ready"})

        server.run(ready, idle.look)
        write_address(places, listening_port, VERSION, stopped=True)
        _log.info("stopped")
    finally:
        platform.close()


def _listening(wanted: int, before: int) -> socket.socket:
    from cloudml_magic.local_platform.server import listen_on

    try:
        return listen_on(wanted or before)
    except OSError as problem:
        if not wanted:
            return listen_on(0)
        raise CloudMLError(
            "platform-port-taken",
            f"The local platform cannot listen on port {wanted}.",
            why=f"{problem.strerror}.",
            next=f"End what uses the port, or let the platform choose one: unset {PREFIX}PORT",
        ) from None


@dataclass(slots=True)
class _Idle:
    """Stops a server that nobody has asked anything and that runs nothing."""

    server: Any
    platform: Any
    limit: float

    def look(self) -> None:
        application = self.server.application
        if application.streams or time.monotonic() - application.last_request < self.limit:
            return
        if self.platform.is_idle():
            _log.info("nothing to do for %s seconds", self.limit)
            self.server.stop()


def _tell(outcome: dict[str, Any]) -> None:
    """One line to the starter, if it still listens; then standard output goes nowhere."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(outcome).encode() + b"\n")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
