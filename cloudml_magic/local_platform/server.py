"""The loopback server: the application on a socket of this machine, under uvicorn, until somebody asks it to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from typing import Any, cast

from cloudml_magic.local_platform.application import Application
from cloudml_magic.local_platform.guard import Guard
from cloudml_magic.local_platform.platform import LocalPlatform

_log = logging.getLogger("cloudml_magic.local_platform")


class PlatformServer:
    """One application on one socket, until somebody asks it to stop."""

    def __init__(self, platform: LocalPlatform, token: str, listening: socket.socket) -> None:
        import uvicorn

        from cloudml_magic.local_platform.connections import PlatformProtocol

        self._socket = listening
        self.application = Application(platform, Guard(token, listening.getsockname()[1]), platform.store.staging)
        self._server = uvicorn.Server(
            uvicorn.Config(
                cast(Any, self.application),
                http=PlatformProtocol,
                loop="asyncio",
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=1,
            )
        )
        # Whoever runs the process decides about its signals.
        self._server.capture_signals = contextlib.nullcontext

    def run(self, ready: Callable[[], None], every_second: Callable[[], None]) -> None:
        """Serves until `stop`; calls `ready` when requests are answered."""
        asyncio.run(self._serve(ready, every_second))

    def stop(self) -> None:
        """Ends `run` soon; any thread and any handler may call."""
        self._server.should_exit = True

    async def _serve(self, ready: Callable[[], None], every_second: Callable[[], None]) -> None:
        clock = asyncio.ensure_future(self._tick(ready, every_second))
        # Trouble at the start ends the server: its starter waits for a word, and would wait for ever.
        clock.add_done_callback(lambda _: self.stop())
        await self._server.serve(sockets=[self._socket])
        if clock.done():
            clock.result()
        clock.cancel()

    async def _tick(self, ready: Callable[[], None], every_second: Callable[[], None]) -> None:
        while not self._server.started:
            await asyncio.sleep(0.001)
        ready()
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(1.0)
            try:
                await loop.run_in_executor(None, every_second)
            except Exception:
                _log.exception("housekeeping failed")


def listen_on(port: int) -> socket.socket:
    """A loopback socket; raises OSError if the port is taken."""
    # asyncio switches Nagle's delay off only where the protocol is named.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen(256)
    except OSError:
        listening.close()
        raise
    listening.set_inheritable(False)
    return listening
