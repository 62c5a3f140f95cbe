"""One request and its answer over an open HTTP/1.1 connection.

Head and content leave in one call, and the answer's head is split rather than parsed as mail: for a small file
`http.client` takes more of the processor than everything else that is done for it.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LONGEST_HEAD = 64 * 1024
_MOST_AT_ONCE = 256 * 1024
_WITHOUT_CONTENT = frozenset({204, 304})
_UNFIT = re.compile(r"[^\x21-\x7e]")
_LINE_ENDS = re.compile(r"[\r\n]")


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.content)
        return body

    @property
    def said(self) -> str:
        """The error in the server's words."""
        try:
            return str(self.json()["error"]["message"])
        except (ValueError, KeyError, TypeError):
            return f"HTTP {self.status}"

    @property
    def is_last(self) -> bool:
        """Whether the server closes the connection after it."""
        return "close" in self.headers.get("connection", "").lower() or not _has_end(self)


def exchange(open_socket: socket.socket, verb: str, path: str, headers: Mapping[str, str], content: bytes) -> Answer:
    """Sends a request, reads the whole answer; raises HTTPException or OSError where there is none."""
    head = _head(verb, path, headers, len(content))
    if len(content) > _MOST_AT_ONCE:
        open_socket.sendall(head)
        open_socket.sendall(content)
    else:
        open_socket.sendall(head + content)
    arriving = _Arriving(open_socket)
    while True:
        status, said = _read_head(arriving.until(b"\r\n\r\n"))
        if status >= 200:
            return Answer(status, said, _content(arriving, status, said))


def _head(verb: str, path: str, headers: Mapping[str, str], length: int) -> bytes:
    if _UNFIT.search(path):
        raise http.client.InvalidURL(f"{path!r} is no path of a request.")
    lines = [f"{verb} {path} HTTP/1.1"]
    for name, value in {**headers, "Accept-Encoding": "identity", "Content-Length": str(length)}.items():
        if _LINE_ENDS.search(value):
            raise ValueError(f"The header {name} has a line break in it.")
        lines.append(f"{name}: {value}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class _Arriving:
    """The bytes of an answer, as they come."""

    def __init__(self, open_socket: socket.socket) -> None:
        self._socket = open_socket
        self._held = bytearray()

    def until(self, mark: bytes) -> bytes:
        """Everything before a mark, which is taken too."""
        while (end := self._held.find(mark)) < 0:
            if len(self._held) > _LONGEST_HEAD:
                raise http.client.LineTooLong("header line")
            self._more()
        found = bytes(self._held[:end])
        del self._held[: end + len(mark)]
        return found

    def exactly(self, count: int) -> bytes:
        while len(self._held) < count:
            self._more()
        found = bytes(self._held[:count])
        del self._held[:count]
        return found

    def rest(self) -> bytes:
        """Everything until the connection is closed."""
        while came := self._socket.recv(_MOST_AT_ONCE):
            self._held += came
        return bytes(self._held)

    def _more(self) -> None:
        came = self._socket.recv(_MOST_AT_ONCE)
        if not came:
            raise http.client.RemoteDisconnected("The connection was closed before the answer was whole.")
        self._held += came


def _read_head(text: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = text.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
        raise http.client.BadStatusLine(first[:200])
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if version == "HTTP/1.0":
        headers.setdefault("connection", "close")
    return int(rest[:3]), headers


def _content(arriving: _Arriving, status: int, headers: Mapping[str, str]) -> bytes:
    if status in _WITHOUT_CONTENT:
        return b""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return _chunks(arriving)
    length = headers.get("content-length")
    if length is None:
        return arriving.rest()
    if not length.isdigit():
        raise http.client.BadStatusLine(f"Content-Length: {length[:40]}")
    return arriving.exactly(int(length))


def _chunks(arriving: _Arriving) -> bytes:
    pieces: list[bytes] = []
    while True:
        try:
            count = int(arriving.until(b"\r\n").partition(b";")[0], 16)
        except ValueError:
            raise http.client.IncompleteRead(b"".join(pieces)) from None
        if not count:
            break
        pieces.append(arriving.exactly(count))
        arriving.exactly(2)
    while arriving.until(b"\r\n"):
        pass  # What is said of the content after it concerns nobody here.
    return b"".join(pieces)


def _has_end(answer: Answer) -> bool:
    headers = answer.headers
    return answer.status in _WITHOUT_CONTENT or "content-length" in headers or "transfer-encoding" in headers
