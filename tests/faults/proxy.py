"""A loopback proxy that does to requests what networks do: scripted faults, and a complaint about unused ones.

    with FaultProxy(platform.port) as proxy:
        proxy.script(Fault("lost_reply", verb="POST", path="/customJobs"))
        …a client speaks to proxy.endpoint…

A fault that was scripted and never happened fails the `with` block, so that no test passes by testing nothing.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Kind = Literal["status", "reset", "lost_reply", "stall", "flip_request", "flip_response", "truncate"]
_NOT_FORWARDED = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host", "expect"})


@dataclass(frozen=True)
class Fault:
    """What happens to the next `times` requests that fit, after the first `skip` that do.

    status: answers `status` and `message` without applying.  reset: breaks the connection before applying.
    lost_reply: applies, then breaks the connection. stall: keeps silent for `seconds`, then breaks the connection.
    flip_request, flip_response: turns over one bit of the body's byte at `at`.
    truncate: breaks the connection after `at` bytes of the answer's body.
    """

    kind: Kind
    verb: str = ""
    path: str = ""
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    skip: int = 0
    seconds: float = 3600.0
    at: int = 0
    message: str = "A scripted fault."

    def fits(self, verb: str, path: str) -> bool:
        return self.verb in ("", verb) and re.search(self.path, path) is not None


@dataclass
class _Scripted:
    fault: Fault
    seen: int = 0
    used: int = 0


class FaultProxy:
    """Stands before a loopback server on a port of its own; `carried` counts the bytes of answers without a fault."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.requests: list[tuple[str, str]] = []
        self.carried = 0
        self._scripted: list[_Scripted] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        proxy = self

        class Handler(_Handler):
            its_proxy = proxy

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def script(self, *faults: Fault) -> None:
        """Adds faults; of several that fit a request, the first strikes."""
        with self._lock:
            self._scripted += [_Scripted(fault) for fault in faults]

    def unused(self) -> list[Fault]:
        """What was scripted and has not happened as often as it should."""
        with self._lock:
            return [each.fault for each in self._scripted if each.used < each.fault.times]

    def forget(self) -> None:
        """Drops what was scripted, used or not."""
        with self._lock:
            self._scripted.clear()

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if kind is None and (left := self.unused()):
            raise AssertionError(f"faults that were scripted did not happen: {left}")

    def strike(self, verb: str, path: str) -> Fault | None:
        with self._lock:
            self.requests.append((verb, path))
            for each in self._scripted:
                if each.used < each.fault.times and each.fault.fits(verb, path):
                    each.seen += 1
                    if each.seen > each.fault.skip:
                        each.used += 1
                        return each.fault
        return None

    def wait(self, seconds: float) -> None:
        self._closing.wait(seconds)


class _Handler(BaseHTTPRequestHandler):
    its_proxy: FaultProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None: ...

    def relay(self) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError):
            body = b"".join(self._body())
            fault = self.its_proxy.strike(self.command, self.path)
            kind = fault.kind if fault else None
            if fault and kind == "status":
                self._refuse(fault)
            elif fault and kind in ("reset", "stall"):
                if kind == "stall":
                    self.its_proxy.wait(fault.seconds)
                self._reset()
            else:
                self._forward(_flipped(body, fault.at) if fault and kind == "flip_request" else body, fault)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = relay  # noqa: N815

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                continue
        else:
            yield self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _forward(self, body: bytes, fault: Fault | None) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.its_proxy.upstream, timeout=600)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_FORWARDED}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            if fault is None:
                self._stream(answer)
                return
            content = answer.read()
            if fault.kind == "lost_reply":
                self._reset()
                return
            if fault.kind == "flip_response":
                content = _flipped(content, fault.at)
            self._head(answer, len(content))
            self.wfile.write(content[: fault.at] if fault.kind == "truncate" else content)
            self.wfile.flush()
            if fault.kind == "truncate":
                self._reset()
        except (http.client.HTTPException, ConnectionError):
            self._reset()
        finally:
            connection.close()

    def _stream(self, answer: http.client.HTTPResponse) -> None:
        self._head(answer, answer.length)
        while chunk := answer.read1(65536):
            self.its_proxy.carried += len(chunk)
            self.wfile.write(chunk)
            self.wfile.flush()

    def _head(self, answer: http.client.HTTPResponse, length: int | None) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() == "location":
                value = value.replace(f":{self.its_proxy.upstream}/", f":{self.its_proxy.port}/")
            if name.lower() not in _NOT_FORWARDED:
                self.send_header(name, value)
        if length is None:
            self.send_header("Connection", "close")
            self.close_connection = True
        elif answer.status not in (204, 304):
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _refuse(self, fault: Fault) -> None:
        error = {"code": fault.status, "message": fault.message, "status": "UNAVAILABLE"}
        content = json.dumps({"error": error}).encode()
        self.send_response_only(fault.status)
        for name, value in {**fault.headers, "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _reset(self) -> None:
        """Breaks the connection so that the client sees a reset, not an end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()


def _flipped(content: bytes, at: int) -> bytes:
    if not content:
        return content
    at %= len(content)
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
