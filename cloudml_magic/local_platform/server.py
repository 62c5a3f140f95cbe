"""The loopback server: HTTP in front of `LocalPlatform.handle`, as a raw ASGI application under uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, cast

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.guard import Guard
from cloudml_magic.local_platform.platform import LocalPlatform, refusal
from cloudml_magic.local_platform.wire import CHUNK, MAXIMAL_JSON, FileRange, Request, Response

_IN_MEMORY = 1024 * 1024
_THREADS = 16
_READ_SECONDS = 30.0
_LONGEST_HEADER = 16 * 1024

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class _DisconnectedError(Exception):
    """The client went away before its request was whole; nothing is done."""


class Application:
    """The ASGI side: guards, spools bodies, runs handlers in threads, streams on the loop."""

    def __init__(self, platform: LocalPlatform, guard: Guard, staging: Path) -> None:
        self._platform = platform
        self._guard = guard
        self._staging = staging
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="request")
        self.last_request = time.monotonic()
        self.streams = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self.last_request = time.monotonic()
        request = _head(scope)
        try:
            response = await self._answer(request, receive)
        except _DisconnectedError:
            return
        if response.stream is not None:
            await self._stream(response, receive, send)
        else:
            await self._send(response, send)
        self.last_request = time.monotonic()

    async def _answer(self, request: Request, receive: Receive) -> Response:
        try:
            self._guard.check(request)
            if sum(len(name) + len(value) for name, value in request.headers.items()) > _LONGEST_HEADER:
                raise PlatformError(400, "The request's headers are too long.")
            body, length = await self._spooled(request, receive)
        except PlatformError as problem:
            response = refusal(request, problem)
            # What is left of the body is not worth reading.
            return Response(response.status, {**response.headers, "connection": "close"}, response.body)
        whole = Request(request.verb, request.path, request.query_text, request.headers, body, length)
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._platform.handle, whole)
        finally:
            body.close()

    async def _spooled(self, request: Request, receive: Receive) -> tuple[BinaryIO, int]:
        limit = None if request.path.startswith(("/upload/", "/resumable/")) else MAXIMAL_JSON
        declared = request.header("content-length", "0")
        if limit is not None and declared.isdigit() and int(declared) > limit:
            raise PlatformError(400, f"Request payload size exceeds the limit: {limit} bytes.")
        # The handler closes it, in whatever thread that runs.
        spool = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(self._staging))  # noqa: SIM115
        length = 0
        try:
            while True:
                try:
                    message = await asyncio.wait_for(receive(), _READ_SECONDS)
                except TimeoutError:
                    raise PlatformError(408, "The request's body did not arrive in time.") from None
                if message["type"] == "http.disconnect":
                    raise _DisconnectedError
                chunk = message.get("body", b"")
                length += len(chunk)
                if limit is not None and length > limit:
                    raise PlatformError(400, f"Request payload size exceeds the limit: {limit} bytes.")
                if length > _IN_MEMORY:
                    await asyncio.get_running_loop().run_in_executor(self._threads, spool.write, chunk)
                else:
                    spool.write(chunk)
                if not message.get("more_body"):
                    break
        except OSError as problem:
            spool.close()
            raise PlatformError(507, f"The local platform cannot keep the request: {problem.strerror}.") from None
        except BaseException:
            spool.close()
            raise
        spool.seek(0)
        return cast(BinaryIO, spool), length

    async def _send(self, response: Response, send: Send) -> None:
        headers = dict(response.headers)
        headers["content-length"] = str(response.file.length if response.file else len(response.body))
        if response.status in (204, 304):
            del headers["content-length"]
        await send(_start(response.status, headers))
        if response.file is None:
            await send({"type": "http.response.body", "body": response.body})
        else:
            await self._send_file(response.file, send)

    async def _send_file(self, part: FileRange, send: Send) -> None:
        loop = asyncio.get_running_loop()
        left = part.length
        with part.file as file:
            file.seek(part.offset)
            while left > 0:
                chunk = await loop.run_in_executor(self._threads, file.read, min(CHUNK, left))
                if not chunk:
                    break  # The file shrank: the connection breaks, and the client sees that it has too little.
                left -= len(chunk)
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _stream(self, response: Response, receive: Receive, send: Send) -> None:
        assert response.stream is not None
        self.streams += 1
        await send(_start(response.status, dict(response.headers)))
        pump = asyncio.ensure_future(_pump(response, send))
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait((pump, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.streams -= 1
            for task in (pump, gone):
                task.cancel()
            await asyncio.gather(pump, gone, return_exceptions=True)
            with contextlib.suppress(RuntimeError):
                await response.stream.aclose()  # type: ignore[attr-defined]


async def _pump(response: Response, send: Send) -> None:
    assert response.stream is not None
    async for chunk in response.stream:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def _head(scope: Message) -> Request:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        # A header sent twice must not slip past the guard: both are seen, joined.
        headers[key] = f"{headers[key]}, {value.decode('latin-1')}" if key in headers else value.decode("latin-1")
    return Request(
        verb=scope["method"].upper(),
        path=scope["raw_path"].decode("latin-1"),
        query_text=scope["query_string"].decode("latin-1"),
        headers=headers,
    )


def _start(status: int, headers: dict[str, str]) -> Message:
    return {
        "type": "http.response.start",
        "status": status,
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
    }


class PlatformServer:
    """One application on one socket, until somebody asks it to stop."""

    def __init__(self, platform: LocalPlatform, token: str, listening: socket.socket) -> None:
        import uvicorn

        self._socket = listening
        self.application = Application(platform, Guard(token, listening.getsockname()[1]), platform.store.staging)
        self._server = uvicorn.Server(
            uvicorn.Config(
                cast(Any, self.application),
                http="httptools",
                loop="asyncio",
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
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
        await self._server.serve(sockets=[self._socket])
        clock.cancel()

    async def _tick(self, ready: Callable[[], None], every_second: Callable[[], None]) -> None:
        while not self._server.started:
            await asyncio.sleep(0.001)
        ready()
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(1.0)
            await loop.run_in_executor(None, functools.partial(every_second))


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
