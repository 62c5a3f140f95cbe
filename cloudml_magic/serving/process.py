"""The serving process: environment → model → server → the end, told to whoever started it in one line."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import signal
import socket
import sys
import threading
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import uvicorn

from cloudml_magic.errors import CloudMLError
from cloudml_magic.serving.application import Application
from cloudml_magic.serving.connections import ServingProtocol
from cloudml_magic.serving.loading import load
from cloudml_magic.serving.predictor import Predictor
from cloudml_magic.serving.settings import ServingSettings

_GRACE_SECONDS = 10
_KEEP_ALIVE_SECONDS = 75
_BACKLOG = 1024
_SWITCH_SECONDS = 0.0005

_log = logging.getLogger("cloudml_magic.serving")


def main() -> NoReturn:
    """Serves until it is told to stop; leaves without tearing the interpreter down, which takes TensorFlow a second."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # The thread that computes hands its answers over this often, not only every 5 ms, while requests are being read.
    sys.setswitchinterval(_SWITCH_SECONDS)
    told = _only_ours()
    code = 1
    try:
        settings = ServingSettings.of_environment(os.environ)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            code = runner.run(_serve(settings, told))
    except CloudMLError as problem:
        _tell_error(told, problem)
    except Exception as problem:
        _log.exception("The serving process failed.")
        _tell_error(
            told,
            CloudMLError("serving-failed", "The serving process failed.", why=f"{type(problem).__name__}: {problem}"),
        )
    sys.stderr.flush()
    os._exit(code)


async def _serve(settings: ServingSettings, told: BinaryIO) -> int:
    application = Application(settings)
    server = _Server(_config(application))
    listener = _listener(settings)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        application.stopping = True
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    if settings.ends_with_input:
        threading.Thread(target=_wait_for_end_of_input, args=(loop, stop), daemon=True).start()
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    # It answers 503 from the first moment on, while the model loads beside it.
    loading = asyncio.ensure_future(asyncio.to_thread(load, settings))
    await asyncio.wait((serving, loading), return_when=asyncio.FIRST_COMPLETED)
    if loading.done():
        model = loading.result()
        application.predictor = Predictor(model, application.metrics)
        _tell(told, {"outcome": "ready", "engine": model.engine.name, "why": model.engine.why})
    await serving
    if settings.socket:
        Path(settings.socket).unlink(missing_ok=True)
    return 0


class _Server(uvicorn.Server):  # type: ignore[misc]
    """uvicorn's server, whose signals are ours."""

    def capture_signals(self) -> nullcontext[None]:
        return nullcontext()


def _config(application: Application) -> Any:
    return uvicorn.Config(
        application,
        loop="uvloop",
        http=ServingProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        interface="asgi3",
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def _loop_factory() -> Any:
    import uvloop

    return uvloop.new_event_loop


def _listener(settings: ServingSettings) -> socket.socket:
    """The bound socket; uvloop sets TCP_NODELAY on what it accepts."""
    try:
        if settings.socket:
            Path(settings.socket).unlink(missing_ok=True)
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(settings.socket)
        else:
            listener = socket.create_server((settings.host, settings.port), backlog=_BACKLOG)
    except OSError as problem:
        if not settings.socket and _is_foreign(problem):
            raise CloudMLError(
                "bad-host",
                f"The model cannot listen on the address {settings.host}.",
                why="It is no address of this machine.",
                next="Use 127.0.0.1 for this machine only, or 0.0.0.0 for all that reach it.",
            ) from None
        where = settings.socket or f"{settings.host}:{settings.port}"
        raise CloudMLError(
            "address-taken",
            f"The model cannot listen on {where}.",
            why=problem.strerror or str(problem),
            next="Choose another one with AIP_HTTP_PORT or CLOUDML_SERVING_SOCKET.",
        ) from None
    return listener


def _is_foreign(problem: OSError) -> bool:
    """Whether the address is none of this machine; what finds no name has a negative number."""
    return problem.errno == errno.EADDRNOTAVAIL or (problem.errno or 0) < 0


def _only_ours() -> BinaryIO:
    """Standard output for the one line alone: what libraries print goes to standard error."""
    told = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return told


def _tell(told: BinaryIO, outcome: dict[str, Any]) -> None:
    # Whoever started this may have gone.
    with suppress(OSError):
        told.write(json.dumps(outcome).encode() + b"\n")


def _tell_error(told: BinaryIO, problem: CloudMLError) -> None:
    _tell(told, {"outcome": "error", "error": [problem.reference, problem.what, problem.why, problem.next]})


def _wait_for_end_of_input(loop: asyncio.AbstractEventLoop, stop: Any) -> None:
    with suppress(OSError):
        while os.read(0, 4096):
            continue
    loop.call_soon_threadsafe(stop)
