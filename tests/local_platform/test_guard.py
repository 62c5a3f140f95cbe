"""Loopback is not public: every route and verb refuses strangers, foreign hosts and web pages from elsewhere."""

from __future__ import annotations

import http.client
import json
import re
import socket
import time

import pytest

from tests.long_counts import within

from .conftest import JOB, JOBS, TOKEN, Served

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")


def attempts(port: int) -> dict[str, dict[str, str]]:
    """Headers that must not get through."""
    good = {"Host": f"127.0.0.1:{port}", "Authorization": f"Bearer {TOKEN}"}
    return {
        "no token": {"Host": good["Host"]},
        "empty token": {**good, "Authorization": ""},
        "wrong token": {**good, "Authorization": "Bearer " + "x" * 43},
        "half a token": {**good, "Authorization": f"Bearer {TOKEN[:20]}"},
        "other scheme": {**good, "Authorization": f"Basic {TOKEN}"},
        "foreign host": {**good, "Host": "evil.example"},
        "rebound host": {**good, "Host": f"evil.example:{port}"},
        "host of another port": {**good, "Host": f"127.0.0.1:{port + 1}"},
        "foreign origin": {**good, "Origin": "https://evil.example"},
        "null origin": {**good, "Origin": "null"},
        "origin that begins like ours": {**good, "Origin": f"http://127.0.0.1:{port}.evil.example"},
    }


def test_every_route_and_verb_refuses_strangers(served: Served) -> None:
    """Each route of the table, each verb, each kind of stranger: 403 in Google's error shape, never 401, no effect."""
    routes = {re.sub(r"\{[^}]*\}", "7", path) for _, path in served.platform.served()}
    assert len(routes) > 20
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    refused = 0
    for path in sorted(routes):
        for verb in VERBS:
            for name, headers in attempts(served.port).items():
                connection.putrequest(verb, path, skip_host=True)
                for header, value in headers.items():
                    connection.putheader(header, value)
                connection.putheader("Content-Length", "0")
                connection.endheaders()
                answer = connection.getresponse()
                content = answer.read()
                assert answer.status == 403, (verb, path, name)
                assert verb == "HEAD" or json.loads(content)["error"]["code"] == 403
                refused += 1
    assert refused == len(routes) * len(VERBS) * 11
    assert served.ask("GET", JOBS) == {}


def test_our_own_names_and_origin_are_taken(served: Served) -> None:
    """127.0.0.1, localhost and [::1] with our port, and a page of our own, are let in."""
    for host in ("127.0.0.1", "localhost", "[::1]"):
        headers = {"Host": f"{host}:{served.port}", "Origin": f"http://{host}:{served.port}"}
        assert served.ask("GET", "/cloudml/v1/status", headers=headers)["project"] == "local"


def test_reading_changes_nothing(served: Served) -> None:
    """GET on every route leaves jobs, operations and buckets as they were."""
    id = served.ask("POST", JOBS, JOB)["name"].rpartition("/")[2]
    before = served.ask("GET", JOBS), served.ask("GET", "/storage/v1/b")
    for _, path in served.platform.served():
        if not path.endswith("/events"):
            served.send("GET", re.sub(r"\{[^}]*\}", id, path))
    assert (served.ask("GET", JOBS), served.ask("GET", "/storage/v1/b")) == before


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"[]", b"nul", b'"x"', b"\xff\xfe", b'{"displayName": NaN}', b'{"labels": {"a": 1e999}}', b"1" * 5000,
        b"[" * 100_000, b'{"labels":' * 100 + b"1" + b"}" * 100, b'{"displayName": "\\ud800"}', b'{"jobSpec": 7}',
        b'{"displayName": "\\u0000"}', b'{"displayName":"x","displayName":{}}',
    ],
)  # fmt: skip
def test_malformed_bodies_are_typed_refusals(served: Served, body: bytes) -> None:
    """Whatever the body, the answer is a 400 within a second, and the server goes on serving."""
    began = time.monotonic()
    assert served.refused("POST", JOBS, body)["status"] == "INVALID_ARGUMENT"
    assert time.monotonic() - began < within(1)
    assert served.ask("GET", JOBS) == {}


def test_a_body_over_the_limit_is_refused_unread(served: Served) -> None:
    """JSON beyond 10 MB is a 400, declared or in chunks."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as raw:
        raw.sendall(
            f"POST {JOBS} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
            "Content-Length: 99999999999\r\n\r\n".encode()
        )
        assert raw.recv(100).startswith(b"HTTP/1.1 400")
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    pieces = (b" " * 1024 * 1024 for _ in range(12))
    connection.request("POST", JOBS, pieces, {"Authorization": f"Bearer {TOKEN}"}, encode_chunked=True)
    assert connection.getresponse().status == 400
    assert served.ask("GET", JOBS) == {}


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET /%zz%00 HTTP/1.1\r\nHost: x\r\n\r\n", b"A" * 70_000,
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    ],
)  # fmt: skip
def test_raw_nonsense_is_survived(served: Served, raw: bytes) -> None:
    """What is no HTTP, or bad HTTP, gets an error or a closed door; the next request is served."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(1000)
    assert answer[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.1 403")
    assert served.ask("GET", JOBS) == {}


def test_no_token_in_answers_and_logs(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    """The token stands in no answer and no log, even of refused and failed requests."""
    for verb, path in (("GET", "/cloudml/v1/status"), ("GET", "/v1/nonsense"), ("POST", JOBS)):
        _, headers, content = served.send(verb, path)
        assert TOKEN.encode() not in content
        assert TOKEN not in str(headers)
    assert TOKEN not in caplog.text
