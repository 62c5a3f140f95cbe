"""The process in which TensorBoard runs: on a Unix socket, until nobody asks any more or its parent has ended."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
import time
import types
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

READY = b"ready\n"
_IDLE_SECONDS = 600.0
_RELOAD_SECONDS = 5


def main(socket: str, logs: str) -> None:
    """Serves what lies beneath `logs`; says so on standard output once it does."""
    threading.Thread(target=_end_with_parent, args=(Path(socket).parent,), daemon=True).start()
    # Event files of this machine are read without TensorFlow, whose import takes seconds.
    sys.modules["tensorboard.compat.notf"] = types.ModuleType("tensorboard.compat.notf")
    from werkzeug.serving import make_server

    os.umask(0o077)
    application = Attended(_tensorboard(logs), lambda: _end(Path(socket).parent))
    server = make_server(f"unix://{socket}", 0, application, threaded=True)
    threading.Thread(target=application.end_when_idle, daemon=True).start()
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    server.serve_forever()


class Attended:
    """A WSGI application that knows when it was asked last."""

    def __init__(
        self, application: Callable[..., Iterable[bytes]], end: Callable[[], None], idle_seconds: float = _IDLE_SECONDS
    ) -> None:
        self._application = application
        self._end = end
        self._idle_seconds = idle_seconds
        self._asked = time.monotonic()

    def __call__(self, environment: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self._asked = time.monotonic()
        return self._application(environment, start_response)

    def end_when_idle(self) -> None:
        """Ends the process once nobody has asked for a while."""
        while (left := self._asked + self._idle_seconds - time.monotonic()) > 0:
            time.sleep(left)
        self._end()


def _tensorboard(logs: str) -> Callable[..., Iterable[bytes]]:
    from tensorboard import default, program
    from tensorboard.backend import application
    from tensorboard.backend.event_processing import data_ingester

    board = program.TensorBoard(plugins=default.get_static_plugins())
    # Its fast loader would listen on a port of its own.
    board.configure(argv=("", "--logdir", logs, "--load_fast", "false", "--reload_interval", str(_RELOAD_SECONDS)))
    ingester = data_ingester.LocalDataIngester(board.flags)
    ingester.start()
    made: Callable[..., Iterable[bytes]] = application.TensorBoardWSGIApp(
        board.flags,
        board.plugin_loaders,
        ingester.data_provider,
        board.assets_zip_provider,
        ingester.deprecated_multiplexer,
    )
    return made


def _end_with_parent(folder: Path) -> None:
    """The other end of standard input is closed when the Jupyter server ends, however it does; nothing is left."""
    while sys.stdin.buffer.read(1):
        pass
    _end(folder)


def _end(folder: Path) -> None:
    """Leaves nothing behind: neither socket nor links."""
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.parent.rmdir()
    os._exit(0)
