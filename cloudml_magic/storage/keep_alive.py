"""Requests to the JSON API over connections that stay open, one per thread: small files need many of them."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from cloudml_magic.patience import Patience
from cloudml_magic.storage import objects
from cloudml_magic.storage.exchange import Answer, exchange

_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_GIVE_UP_SECONDS = 60.0
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Door:
    """Where the JSON API answers, and the headers that open it; no representation shows them."""

    url: str
    headers: Mapping[str, str] = field(repr=False)


class KeepAlive:
    """Asks until there is an answer; any thread may ask, each over a connection of its own."""

    def __init__(self, door: Callable[[bool], Door]) -> None:
        # True says that the last door did not open, and has to be looked for anew.
        self._door = door
        self._local = threading.local()

    def ask(self, verb: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """The answer, which may be a refusal; raises RetryError when nothing answers for a minute."""
        from google.api_core.exceptions import RetryError

        patience, began, pause = Patience(), time.monotonic(), 0.1
        search_again = False
        while True:
            problem: Exception
            try:
                answer = self._once(verb, path, content, headers or {}, search_again)
                if answer.status not in _TRANSIENT and not (answer.status == 401 and not search_again):
                    return answer
                problem = http.client.HTTPException(answer.said)
                search_again = answer.status == 401
            except (OSError, http.client.HTTPException) as lost:
                problem, search_again = lost, True
            if time.monotonic() - began > _GIVE_UP_SECONDS:
                raise RetryError(str(problem) or type(problem).__name__, problem) from problem
            patience.failed(str(problem) or type(problem).__name__)
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, 8.0)

    def _once(self, verb: str, path: str, content: bytes, headers: Mapping[str, str], search_again: bool) -> Answer:
        door = self._door(search_again)
        connection = self._connection(door.url)
        asked = {"Host": urlsplit(door.url).netloc, **door.headers, **headers}
        answer = None
        try:
            answer = exchange(connection.sock, verb, path, asked, content)
        finally:
            # After half an answer the connection says nothing that could be understood.
            if answer is None or answer.is_last:
                self._close()
        return answer

    def _connection(self, url: str) -> http.client.HTTPConnection:
        known: tuple[str, http.client.HTTPConnection] | None = getattr(self._local, "known", None)
        if known is None or known[0] != url:
            self._close()
            connection = _connection_to(url)
            connection.connect()
            known = self._local.known = (url, connection)
        return known[1]

    def _close(self) -> None:
        known: tuple[str, http.client.HTTPConnection] | None = self._local.__dict__.pop("known", None)
        if known is not None:
            known[1].close()


def _connection_to(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host = parts.hostname or ""
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    # A proxy of the environment must not come between this process and its own machine.
    proxy = None if host in _LOOPBACK or proxy_bypass(host) else getproxies().get(parts.scheme)
    if proxy is None:
        return kind(host, parts.port, timeout=objects.TIMEOUT_SECONDS)
    between = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    connection = kind(between.hostname or "", between.port, timeout=objects.TIMEOUT_SECONDS)
    connection.set_tunnel(host, parts.port)
    return connection
