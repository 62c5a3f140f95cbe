"""HTTP in front of the model, as a raw ASGI application: routes, limits of bodies, errors."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import orjson

from cloudml_magic.serving import binary_bodies, descriptions, json_bodies
from cloudml_magic.serving.answers import JSON, answer
from cloudml_magic.serving.metrics import Metrics
from cloudml_magic.serving.predictor import Predictor
from cloudml_magic.serving.refusals import RefusedError
from cloudml_magic.serving.requests import read_request
from cloudml_magic.serving.settings import ServingSettings

READ_SECONDS = 30.0
_MOST_IGNORED = 1024 * 1024 * 1024
_RETRY_SECONDS = 2
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_log = logging.getLogger("cloudml_magic.serving")


class _DisconnectedError(Exception):
    """The client went away before its request was whole."""


class Application:
    """The ASGI side. `predictor` is there once the model is loaded; `stopping` says that no more is taken."""

    def __init__(self, settings: ServingSettings) -> None:
        self.predictor: Predictor | None = None
        self.stopping = False
        self.metrics = Metrics()
        self._settings = settings
        base = f"/v1/models/{settings.model}"
        versioned = f"{base}/versions/{settings.version}"
        self._predict = {f"{base}:predict", f"{versioned}:predict", settings.predict_route}
        self._pages: dict[str, Callable[[Predictor], tuple[bytes, str]]] = {
            **dict.fromkeys((base, versioned, settings.health_route), self._state),
            **dict.fromkeys((f"{base}/metadata", f"{versioned}/metadata"), self._metadata),
            "/metrics": self._metrics_page,
        }

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        predicts = scope["path"] in self._predict
        began = time.perf_counter()
        try:
            content, content_type = await self._answered(scope, receive, predicts)
            status = 200
            await _send(send, status, content, content_type)
        except _DisconnectedError:
            return
        except RefusedError as refused:
            status = refused.status
            await _refuse(refused, receive, send)
        except Exception:
            _log.exception("A request failed.")
            status = 500
            await _refuse(RefusedError(500, "The model failed on these instances; its log says more."), receive, send)
        if predicts:
            self.metrics.requests[status] += 1
            self.metrics.seconds.observe(time.perf_counter() - began)

    async def _answered(self, scope: Message, receive: Receive, predicts: bool) -> tuple[bytes, str]:
        page = self._pages.get(scope["path"])
        if not predicts and page is None:
            raise RefusedError(
                404, f"There is nothing at {scope['path'][:200]}. The model is {self._settings.model!r}."
            )
        headers: dict[bytes, bytes] = dict(scope["headers"])
        self._check_host(headers)
        verb = scope["method"]
        if verb not in (("POST",) if predicts else ("GET", "HEAD")):
            raise RefusedError(405, f"{verb} is not answered here. Use {'POST' if predicts else 'GET'}.")
        if self.stopping:
            raise RefusedError(503, "The model is being stopped.", retry_seconds=_RETRY_SECONDS, closes=True)
        predictor = self.predictor
        if predictor is None:
            raise RefusedError(503, "The model is being loaded.", retry_seconds=_RETRY_SECONDS)
        if page is not None and not predicts:
            return page(predictor)
        encoding = headers.get(b"content-encoding", b"identity").decode("latin-1").strip().lower()
        if encoding != "identity":
            raise RefusedError(415, f"The body is encoded as {encoding[:100]}. Send it as it is.", closes=True)
        content_type = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        body = await _body(receive, headers, content_type)
        request = read_request(predictor.interface, content_type, scope["query_string"].decode("latin-1"), body)
        outputs = await predictor.outputs(request)
        accept = headers.get(b"accept", b"").decode("latin-1")
        return answer(outputs, accept, request.in_columns, named=self._settings.names_outputs)

    def _check_host(self, headers: dict[bytes, bytes]) -> None:
        """A page of the web can make its own name mean this machine; then the browser asks by that name."""
        host = headers.get(b"host")
        if host is None or self._settings.socket or self._settings.host not in _LOOPBACK:
            return
        try:
            name = urlsplit(f"//{host.decode('latin-1')}").hostname
        except ValueError:
            name = None
        if name not in _LOOPBACK:
            raise RefusedError(403, "The model answers only requests that name this machine as their host.")

    def _state(self, predictor: Predictor) -> tuple[bytes, str]:
        return orjson.dumps(descriptions.state(self._settings.version)), JSON

    def _metadata(self, predictor: Predictor) -> tuple[bytes, str]:
        document = descriptions.metadata(
            self._settings.model, self._settings.version, predictor.interface, predictor.manifest
        )
        return orjson.dumps(document), JSON

    def _metrics_page(self, predictor: Predictor) -> tuple[bytes, str]:
        text = self.metrics.text(predictor.waiting_rows, predictor.engine.name)
        return text.encode(), "text/plain; version=0.0.4; charset=utf-8"


async def _body(receive: Receive, headers: dict[bytes, bytes], content_type: str) -> bytes:
    is_binary = content_type in (binary_bodies.NPY, binary_bodies.NPZ)
    limit = binary_bodies.MOST_BYTES if is_binary else json_bodies.MOST_BYTES
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit, is_binary)
    chunks: list[bytes] = []
    length = 0
    while True:
        try:
            async with asyncio.timeout(READ_SECONDS):
                message = await receive()
        except TimeoutError:
            raise RefusedError(408, "The request's body did not arrive in time.", closes=True) from None
        if message["type"] == "http.disconnect":
            raise _DisconnectedError
        chunk = message.get("body", b"")
        length += len(chunk)
        if length > limit:
            raise _too_large(limit, is_binary)
        chunks.append(chunk)
        if not message.get("more_body"):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limit: int, is_binary: bool) -> RefusedError:
    advice = (
        "Send fewer instances." if is_binary else "Send fewer instances, pictures as JPEG, or numbers as a .npy file."
    )
    return RefusedError(413, f"The body is larger than {limit // (1024 * 1024)} MB. {advice}", closes=True)


async def _send(send: Send, status: int, content: bytes, content_type: str) -> None:
    await send(_start(status, content_type, len(content)))
    await send({"type": "http.response.body", "body": content})


async def _refuse(refused: RefusedError, receive: Receive, send: Send) -> None:
    """Answers, then lets the client say the rest: one that is still sending would see a reset, not the answer."""
    content = orjson.dumps({"error": refused.text.encode("utf-8", "replace").decode()})
    start = _start(refused.status, JSON, len(content))
    if refused.retry_seconds is not None:
        start["headers"].append((b"retry-after", str(refused.retry_seconds).encode()))
    if refused.closes:
        start["headers"].append((b"connection", b"close"))
    await send(start)
    await send({"type": "http.response.body", "body": content, "more_body": refused.closes})
    if not refused.closes:
        return
    left = _MOST_IGNORED
    with contextlib.suppress(TimeoutError):
        while left > 0:
            async with asyncio.timeout(READ_SECONDS):
                message = await receive()
            left -= len(message.get("body", b""))
            if message["type"] == "http.disconnect" or not message.get("more_body"):
                break
    await send({"type": "http.response.body", "body": b""})


def _start(status: int, content_type: str, length: int) -> Message:
    return {
        "type": "http.response.start",
        "status": status,
        "headers": [(b"content-type", content_type.encode()), (b"content-length", str(length).encode())],
    }
