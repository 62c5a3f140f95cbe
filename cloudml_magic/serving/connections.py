"""uvicorn's protocol, hardened: shows out clients that ask nothing, and is not woken for each piece of a large body."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# uvicorn stops reading at 64 kB until the application has asked for more, which costs a picture's floats a millisecond.
_HIGH_WATER = 1024 * 1024


class LimitedProtocol(HttpToolsProtocol):  # type: ignore[misc]
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

    def send_400_response(self, msg: str) -> None:
        """What uvicorn answers, in plain text, to what it cannot read."""
        content = json.dumps(self.refusal(msg)).encode()
        head = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json; charset=UTF-8\r\nconnection: close\r\n"
        cast(Any, self.transport).write(f"{head}content-length: {len(content)}\r\n\r\n".encode() + content)
        cast(Any, self.transport).close()

    def refusal(self, message: str) -> dict[str, Any]:
        """The body of an answer to what is no HTTP, in the server's own shape."""
        return {"error": message}

    def _expect_head(self) -> None:
        if self._head_timer is None:
            transport = cast(Any, self.transport)
            self._head_timer = asyncio.get_running_loop().call_later(self.head_seconds, transport.close)

    def _head_came(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class ServingProtocol(LimitedProtocol):
    """One connection to a model."""

    def on_body(self, body: bytes) -> None:
        cycle = cast(Any, self).cycle
        if cycle.response_complete:
            return
        if type(cycle.body) is bytes:
            # A large body comes in many pieces; bytes would be copied anew for each.
            cycle.body = bytearray(cycle.body)
        cycle.body += body
        if len(cycle.body) >= _HIGH_WATER:
            self.flow.pause_reading()
            cycle.message_event.set()
