"""One request and its answer, as servers of Google's and those between may write it."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Mapping

import pytest

from cloudml_magic.storage.exchange import Answer, exchange

SECONDS = 30


def asked(reply: bytes, content: bytes = b"", headers: Mapping[str, str] | None = None) -> tuple[Answer, bytes]:
    """What comes of a server's reply, and what the server was sent."""
    ours, theirs = socket.socketpair()
    ours.settimeout(SECONDS)
    came = bytearray()

    def serve() -> None:
        # Whoever has read enough hangs up.
        with theirs, contextlib.suppress(ConnectionError):
            while b"\r\n\r\n" not in came or not came.endswith(content):
                came.extend(theirs.recv(65536))
            theirs.sendall(reply)

    server = threading.Thread(target=serve)
    server.start()
    try:
        with ours:
            return exchange(ours, "POST", "/upload?x=%20", headers or {"Host": "here"}, content), bytes(came)
    finally:
        server.join(SECONDS)


def test_what_is_sent() -> None:
    """A head that says how long the content is, and the content."""
    answer, came = asked(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"some bytes", {"Host": "here", "X-Y": "z"})
    assert (answer.status, answer.json(), answer.is_last) == (200, {}, False)
    assert came == (
        b"POST /upload?x=%20 HTTP/1.1\r\nHost: here\r\nX-Y: z\r\nAccept-Encoding: identity\r\n"
        b"Content-Length: 10\r\n\r\nsome bytes"
    )


def test_a_large_content_arrives_whole() -> None:
    """More than any buffer on the way holds."""
    content = bytes(range(256)) * 20_000
    _, came = asked(b"HTTP/1.1 204 No Content\r\n\r\n", content)
    assert came.partition(b"\r\n\r\n")[2] == content


@pytest.mark.parametrize(
    ("reply", "status", "content", "is_last"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", False),
        (b"HTTP/1.1 308 Resume Incomplete\r\nRange: bytes=0-9\r\nContent-Length: 0\r\n\r\n", 308, b"", False),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx", 200, b"x", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nT: t\r\n\r\n", 200, b"abcde", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: Close\r\n\r\nx", 200, b"x", True),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, b"until the end", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, b"x", True),
        (b"HTTP/1.1 499\r\nContent-Length: 0\r\n\r\n", 499, b"", False),
    ],
    ids=["nothing", "more to come", "continue", "chunks", "closed", "no length", "old server", "no words"],
)  # fmt: skip
def test_answers(reply: bytes, status: int, content: bytes, is_last: bool) -> None:
    """Each way in which the end of an answer is told, and whether the connection stays open."""
    answer, _ = asked(reply)
    assert (answer.status, answer.content, answer.is_last) == (status, content, is_last)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000,
    ],
    ids=["none", "cut", "a chunk cut", "no chunk", "no length", "another protocol", "endless head"],
)
def test_half_an_answer_is_none(reply: bytes) -> None:
    """It is an error of the connection, after which whoever asks tries again."""
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        asked(reply)


def test_nothing_slips_into_the_head() -> None:
    """A path or header with a line break in it is not sent."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with pytest.raises(http.client.InvalidURL, match="is no path of a request"):
            exchange(ours, "GET", "/o?x=1 HTTP/1.1\r\nX: y", {}, b"")
        with pytest.raises(ValueError, match="The header X has a line break in it"):
            exchange(ours, "GET", "/o", {"X": "y\r\nZ: z"}, b"")
        ours.shutdown(socket.SHUT_WR)
        assert theirs.recv(1) == b""
