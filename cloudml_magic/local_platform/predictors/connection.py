"""Asks a serving process over its Unix socket: HTTP/1.1 on connections that are kept, with nothing copied or parsed
that need not be.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import httptools

# Shorter than a serving process keeps a silent connection, so that none is closed while a request is on its way.
_KEPT_SECONDS = 30.0


class ConnectionLostError(Exception):
    """The connection ended before the answer was whole; whether the request was acted on is not known."""


class NotListeningError(Exception):
    """Nobody listens; the request was not sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a serving process answered; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ConnectionPool:
    """Connections to one socket; each belongs to the event loop that made it."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._idle: list[_Connection] = []

    async def ask(self, head: bytes, body: bytes, *, keep: bool = True) -> Answer:
        """Sends one request and returns its answer."""
        connection = self._taken() or await self._made()
        try:
            answer = await connection.ask(head, body)
        except BaseException:
            # Also when nobody waits any more: the answer must not become that of the next request.
            connection.close()
            raise
        if keep and connection.is_reusable:
            connection.idle_since = time.monotonic()
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def close(self) -> None:
        """Lets go of the connections that nobody uses; any thread may call."""
        while (connection := self._popped()) is not None:
            with contextlib.suppress(RuntimeError):
                connection.loop.call_soon_threadsafe(connection.close)

    def _taken(self) -> _Connection | None:
        loop = asyncio.get_running_loop()
        others = []
        found = None
        while found is None and (connection := self._popped()) is not None:
            if connection.loop is not loop:
                others.append(connection)
            elif not connection.is_reusable or time.monotonic() - connection.idle_since > _KEPT_SECONDS:
                connection.close()
            else:
                found = connection
        self._idle += others
        return found

    def _popped(self) -> _Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    async def _made(self) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_unix_connection(lambda: _Connection(loop), self._address)
        except OSError as problem:
            raise NotListeningError from problem
        return connection


@dataclass(slots=True)
class _Connection(asyncio.Protocol):
    loop: asyncio.AbstractEventLoop
    idle_since: float = 0.0
    is_reusable: bool = True
    _transport: asyncio.Transport | None = None
    _waiting: asyncio.Future[Answer] | None = None
    _parser: httptools.HttpResponseParser | None = None
    _headers: dict[str, str] = field(default_factory=dict)
    _body: list[bytes] = field(default_factory=list)

    async def ask(self, head: bytes, body: bytes) -> Answer:
        assert self._transport is not None
        self._waiting = self.loop.create_future()
        self._parser, self._headers, self._body = httptools.HttpResponseParser(self), {}, []
        self._transport.write(head + body)
        return await self._waiting

    def close(self) -> None:
        self.is_reusable = False
        if self._transport is not None:
            self._transport.abort()

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_reusable = False
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionLostError())

    def data_received(self, data: bytes) -> None:
        if self._parser is None:
            return self.close()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()

    # --- what the parser calls ---

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        parser, self._parser = self._parser, None
        if parser is None or self._waiting is None or self._waiting.done():
            return
        self.is_reusable = self.is_reusable and parser.should_keep_alive()
        self._waiting.set_result(Answer(parser.get_status_code(), self._headers, b"".join(self._body)))
