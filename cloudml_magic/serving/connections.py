"""uvicorn's protocol for large bodies and silent clients: wakes the application per megabyte, and waits for no head."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# uvicorn stops reading at 64 kB until the application has asked for more, which costs a picture's floats a millisecond.
_HIGH_WATER = 1024 * 1024


class ServingProtocol(HttpToolsProtocol):  # type: ignore[misc]
    """One connection; between requests uvicorn's own limit for idle connections holds."""

    head_seconds = 30.0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_came()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_head()

    def on_headers_complete(self) -> None:
        self._head_came()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        cycle = cast(Any, self).cycle
        if cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) >= _HIGH_WATER:
            self.flow.pause_reading()
            cycle.message_event.set()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn answers, in plain text, to what it cannot read."""
        content = orjson.dumps({"error": msg})
        head = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n"
        cast(Any, self.transport).write(f"{head}content-length: {len(content)}\r\n\r\n".encode() + content)
        cast(Any, self.transport).close()

    def _expect_head(self) -> None:
        if self._head_timer is None:
            transport = cast(Any, self.transport)
            self._head_timer = asyncio.get_running_loop().call_later(self.head_seconds, transport.close)

    def _head_came(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
