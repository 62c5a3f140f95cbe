"""The fault proxy does what it says, and notices what it was not asked to do."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from .proxy import Fault, FaultProxy


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    applied: list[bytes]

    def log_message(self, *_: Any) -> None: ...

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.applied.append(body)
        self.send_response(200)
        self.send_header("Location", f"http://{self.headers['Host']}/next")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def upstream() -> Iterator[ThreadingHTTPServer]:
    Echo.applied = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def post(proxy: FaultProxy, body: bytes = b"hello", timeout: float = 5) -> tuple[int, bytes, str]:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=timeout)
    try:
        connection.request("POST", "/a/b", body)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.getheader("Location", "")
    finally:
        connection.close()


def test_without_faults_it_is_a_wire(upstream: ThreadingHTTPServer) -> None:
    """Requests go through whole, and addresses in answers lead through the proxy again."""
    with FaultProxy(upstream.server_port) as proxy:
        assert post(proxy) == (200, b"hello", f"{proxy.endpoint}/next")
        assert proxy.requests == [("POST", "/a/b")]


def test_a_status_is_given_without_applying(upstream: ThreadingHTTPServer) -> None:
    """A scripted status comes as often as scripted, with its headers, and nothing reaches the server."""
    with FaultProxy(upstream.server_port) as proxy:
        proxy.script(Fault("status", path="/a", status=429, times=2, headers={"Retry-After": "1"}))
        assert [post(proxy)[0] for _ in range(3)] == [429, 429, 200]
        assert Echo.applied == [b"hello"]


def test_a_reset_comes_before_a_lost_reply_after(upstream: ThreadingHTTPServer) -> None:
    """Both break the connection; only the second has been applied."""
    with FaultProxy(upstream.server_port) as proxy:
        proxy.script(Fault("reset"), Fault("lost_reply"))
        for applied in (0, 1):
            with pytest.raises(ConnectionError):
                post(proxy)
            assert len(Echo.applied) == applied


def test_a_stall_lasts_and_applies_nothing(upstream: ThreadingHTTPServer) -> None:
    """A stalled request gets no answer, and closing the proxy does not wait for it."""
    with FaultProxy(upstream.server_port) as proxy:
        proxy.script(Fault("stall"))
        with pytest.raises(TimeoutError):
            post(proxy, timeout=0.2)
        assert Echo.applied == []


def test_one_bit_is_turned_and_answers_are_cut(upstream: ThreadingHTTPServer) -> None:
    """A flipped byte of the request reaches the server, one of the answer the client; a cut answer ends early."""
    with FaultProxy(upstream.server_port) as proxy:
        proxy.script(Fault("flip_request", at=0), Fault("flip_response", at=-1), Fault("truncate", at=2))
        assert post(proxy)[1] == b"iello"
        assert Echo.applied == [b"iello"]
        assert post(proxy)[1] == b"helln"
        with pytest.raises((ConnectionError, http.client.IncompleteRead)):
            post(proxy)


def test_requests_are_skipped_as_scripted(upstream: ThreadingHTTPServer) -> None:
    """skip=1 leaves the first fitting request alone; what does not fit is not counted."""
    with FaultProxy(upstream.server_port) as proxy:
        proxy.script(Fault("status", verb="POST", skip=1))
        assert [post(proxy)[0] for _ in range(3)] == [200, 503, 200]


def test_unused_faults_are_noticed(upstream: ThreadingHTTPServer) -> None:
    """A fault that never happened fails the block, unless it failed already."""
    with pytest.raises(AssertionError, match="did not happen"), FaultProxy(upstream.server_port) as proxy:
        proxy.script(Fault("reset", path="/other"))
        post(proxy)
    with pytest.raises(KeyError), FaultProxy(upstream.server_port) as proxy:
        proxy.script(Fault("reset"))
        raise KeyError
