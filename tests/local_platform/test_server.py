"""The server around the library: quick, patient with crowds, honest when the disk is full or something breaks."""

from __future__ import annotations

import errno
import http.client
import json
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudml_magic.local_platform.connections import PlatformProtocol
from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.filters import compiled
from cloudml_magic.local_platform.platform import LocalPlatform
from cloudml_magic.local_platform.server import PlatformServer, listen_on
from cloudml_magic.local_platform.server_process import starting_problem
from cloudml_magic.places import PlatformPlaces
from tests.long_counts import within

from .conftest import JOBS, TOKEN, Served, StateRunner

ROOT = Path(__file__).resolve().parents[2]


def test_answers_on_a_kept_connection_come_at_once(served: Served) -> None:
    """A small request on a connection that is kept takes a few milliseconds, not a delayed acknowledgement's forty."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    taken = []
    for _ in range(40):
        began = time.monotonic()
        connection.request("GET", JOBS, headers={"Authorization": f"Bearer {TOKEN}"})
        connection.getresponse().read()
        taken.append(time.monotonic() - began)
    assert statistics.median(taken) < 0.04


def test_a_crowd_is_served(served: Served) -> None:
    """A hundred clients at once each get their own answer."""
    answers: list[bytes] = []

    def put_and_get(number: int) -> None:
        path = f"/upload/storage/v1/b/cloudml-local/o?uploadType=media&name=n{number}"
        served.ask("POST", path, str(number).encode() * 50_000)
        answers.append(served.send("GET", f"/storage/v1/b/cloudml-local/o/n{number}?alt=media")[2])

    threads = [threading.Thread(target=put_and_get, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == sorted(str(number).encode() * 50_000 for number in range(100))


def test_a_failure_of_ours_is_told_by_reference(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug of the platform is a 500 in Google's shape whose reference finds the traceback in the log."""

    def broken() -> Any:
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr(served.platform.resources, "jobs", broken)
    error = served.refused("GET", JOBS)
    assert (error["code"], error["status"]) == (500, "INTERNAL")
    reference = error["message"].split()[2]
    assert any(reference in record.getMessage() and record.exc_info for record in caplog.records)
    assert "of ours" not in error["message"]


def test_the_platform_is_a_library(served: Served) -> None:
    """Without a socket, handle(request) gives the same answer."""
    from cloudml_magic.local_platform.wire import Request

    answer = served.platform.handle(Request("GET", "/cloudml/v1/status"))
    assert (answer.status, answer.json()["bucket"]) == (200, "cloudml-local")
    assert served.platform.handle(Request("BREW", "/coffee")).status == 404


FULL = """
import http.client, json, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from cloudml_magic.local_platform.lifecycle import ensure_running, stop
address = ensure_running()
def send(verb, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=20)
    connection.request(verb, path, body, {"Authorization": f"Bearer {address.token}"})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read() or b"{}")
upload = "/upload/storage/v1/b/cloudml-local/o?uploadType=media&name="
results = [send("POST", upload + "small", b"x" * 1000)[0]]
results.append(send("POST", upload + "large", b"x" * 30_000_000))
results.append(send("GET", "/storage/v1/b/cloudml-local/o/large")[0])
results.append(send("GET", "/storage/v1/b/cloudml-local/o/small")[1]["size"])
results.append(send("POST", upload + "small", b"y" * 1000)[0])
stop()
print(json.dumps(results))
"""


@pytest.mark.skipif(not shutil.which("unshare"), reason="needs unshare")
def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    """On a full disk an upload is refused as such, what was there stays, and small things go on."""
    mount = f"mount -t tmpfs -o size=12m tmpfs {tmp_path} && exec env -i HOME={tmp_path} CLOUDML_PLATFORM_SPARE=no"
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*command, f"mount -t tmpfs tmpfs {tmp_path}"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount in a user namespace")
    done = subprocess.run(
        [*command, f'{mount} {sys.executable} -c "$0" {ROOT}', FULL], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    small, (status, body), large, size, again = json.loads(done.stdout)
    assert (small, status, large, size, again) == (200, 507, 404, "1000", 200)
    assert "full" in body["error"]["message"] or "No space left" in body["error"]["message"]


WORDS = st.sampled_from(
    ["state", "labels.a", "=", ":", "!=", "<", '"x"', "AND", "OR", "NOT", "(", ")", "a*", "create_time", "5", "é", "\0"]
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(WORDS, max_size=14).map(" ".join) | st.text(max_size=40))
def test_any_filter_is_understood_or_refused(text: str) -> None:
    """Whatever stands in a filter, it is a predicate or a typed refusal."""
    try:
        compiled(text)({"state": "x", "create_time": "2026-01-01T00:00:00Z"}.get)
    except PlatformError as refusal:
        assert refusal.code in (400, 501)


def test_trouble_at_the_start_ends_the_server(places: PlatformPlaces) -> None:
    """A server that cannot say where it listens, as on a full disk, ends with the reason instead of waiting unseen."""
    platform = LocalPlatform(places, StateRunner)
    server = PlatformServer(platform, TOKEN, listen_on(0))

    def ready() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    began = time.monotonic()
    with pytest.raises(OSError, match="No space left") as caught:
        server.run(ready, lambda: None)
    assert time.monotonic() - began < within(3)
    platform.close()
    assert str(starting_problem(caught.value)) == (
        "The local platform cannot start.\n"
        "  Why:  The disk is full.\n"
        "  Next: Free some space, or point XDG_STATE_HOME and XDG_DATA_HOME to another disk.\n"
        "[platform-disk-full]"
    )


def answer(connection: socket.socket) -> bytes:
    content = connection.recv(65536)
    while content and not content.rstrip().endswith(b"}"):
        content += connection.recv(65536)
    return content


def test_a_client_that_asks_nothing_is_shown_out(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence or half a request's head holds a connection for a while only, the first time and later; others go on."""
    monkeypatch.setattr(PlatformProtocol, "head_seconds", 0.4)
    asking = f"GET /cloudml/v1/status HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
    silent, half, second = (socket.create_connection(("127.0.0.1", served.port), timeout=10) for _ in range(3))
    with silent, half, second:
        half.sendall(asking.encode())
        second.sendall(f"{asking}\r\n".encode())
        assert answer(second).startswith(b"HTTP/1.1 200")
        time.sleep(0.6)
        second.sendall(f"{asking}\r\n".encode())
        assert answer(second).startswith(b"HTTP/1.1 200"), "an idle connection that is kept is no silent one"
        second.sendall(b"GET /cloud")
        began = time.monotonic()
        assert silent.recv(1) == half.recv(1) == second.recv(1) == b""
        assert time.monotonic() - began < within(2)
