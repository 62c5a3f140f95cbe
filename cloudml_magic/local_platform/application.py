"""HTTP in front of `LocalPlatform.handle`, as a raw ASGI application: guards, spools bodies, sends, streams."""

from __future__ import annotations

import asyncio
import contextlib
import io
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
_MOST_IGNORED = 1024 * 1024 * 1024

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class _DisconnectedError(Exception):
    """The client went away before its request was whole; nothing is done."""


class _RefusedError(Exception):
    """A request is answered before its body was read."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


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
        except _RefusedError as refused:
            await self._refuse(refused.response, receive, send)
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
            prediction = self._platform.prediction(request.verb, request.path)
            if prediction is not None:
                content = await self._in_memory(request, receive, self._platform.predictions.limit)
            else:
                body, length = await self._spooled(request, receive)
        except PlatformError as problem:
            raise _RefusedError(refusal(request, problem)) from None
        if prediction is not None:
            return await self._platform.predict(
                prediction,
                Request(
                    request.verb, request.path, request.query_text, request.headers, io.BytesIO(content), len(content)
                ),
            )
        whole = Request(request.verb, request.path, request.query_text, request.headers, body, length)
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._platform.handle, whole)
        finally:
            body.close()

    async def _in_memory(self, request: Request, receive: Receive, limit: int) -> bytes:
        """A body that is small enough to go through memory, read with nothing in between."""
        _check_length(request, limit)
        chunks: list[bytes] = []
        left = limit
        while True:
            message = await _received(receive)
            chunk = message.get("body", b"")
            left -= len(chunk)
            if left < 0:
                raise _too_large(limit)
            chunks.append(chunk)
            if not message.get("more_body"):
                return b"".join(chunks)

    async def _spooled(self, request: Request, receive: Receive) -> tuple[BinaryIO, int]:
        limit = None if request.path.startswith(("/upload/", "/resumable/")) else MAXIMAL_JSON
        if limit is not None:
            _check_length(request, limit)
        # The handler closes it, in whatever thread that runs.
        spool = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(self._staging))  # noqa: SIM115
        length = 0
        try:
            while True:
                message = await _received(receive)
                chunk = message.get("body", b"")
                length += len(chunk)
                if limit is not None and length > limit:
                    raise _too_large(limit)
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

    async def _refuse(self, response: Response, receive: Receive, send: Send) -> None:
        """Answers, then lets the client say the rest: one that is still sending would see a reset, not the answer."""
        headers = {**response.headers, "content-length": str(len(response.body)), "connection": "close"}
        await send(_start(response.status, headers))
        await send({"type": "http.response.body", "body": response.body, "more_body": True})
        left = _MOST_IGNORED
        with contextlib.suppress(TimeoutError):
            while left > 0:
                message = await asyncio.wait_for(receive(), _READ_SECONDS)
                left -= len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    break
        await send({"type": "http.response.body", "body": b""})

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


async def _received(receive: Receive) -> Message:
    try:
        async with asyncio.timeout(_READ_SECONDS):
            message = await receive()
    except TimeoutError:
        raise PlatformError(408, "The request's body did not arrive in time.") from None
    if message["type"] == "http.disconnect":
        raise _DisconnectedError
    return message


def _check_length(request: Request, limit: int) -> None:
    declared = request.header("content-length", "0")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> PlatformError:
    return PlatformError(400, f"Request payload size exceeds the limit: {limit} bytes.")


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
