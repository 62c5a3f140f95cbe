"""One server per user and HOME: started once, found again, stopped, and safe to kill at any moment."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.errors import CloudMLError
from cloudml_magic.local_platform import lifecycle
from cloudml_magic.local_platform.address import PlatformAddress, write_private
from cloudml_magic.places import PlatformPlaces
from tests.long_counts import only_in_soak, within

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def platform_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CLOUDML_PLATFORM_SPARE", "no")
    yield home
    lifecycle.stop()


def send(address: PlatformAddress, verb: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=10)
    try:
        connection.request(verb, path, body, {"Authorization": f"Bearer {address.token}"})
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if content else None
    finally:
        connection.close()


def kill(address: PlatformAddress) -> None:
    os.kill(address.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while lifecycle.find_running() is not None and time.monotonic() < deadline:
        time.sleep(0.002)


def test_the_platform_starts_once_and_is_found_again() -> None:
    """The first use starts it within two seconds, later ones find it, a stop ends it; token and port last."""
    assert lifecycle.find_running() is None
    began = time.monotonic()
    address = lifecycle.ensure_running()
    assert time.monotonic() - began < within(2)
    assert lifecycle.ensure_running() == address
    assert lifecycle.find_running() == address
    assert (address.project, address.project_number, address.region) == ("local", "1", "us-central1")
    assert address.token not in repr(address)
    status = lifecycle.status(address)
    assert (status["pid"], status["version"], status["runningJobs"]) == (address.pid, address.version, 0)
    assert lifecycle.stop() is True
    assert lifecycle.stop() is False
    assert lifecycle.find_running() is None
    again = lifecycle.ensure_running()
    assert (again.token, again.endpoint) == (address.token, address.endpoint)


def test_its_files_are_private(platform_home: Path) -> None:
    """Token, database, buckets and logs are readable by their owner alone."""
    address = lifecycle.ensure_running()
    places = PlatformPlaces.of_this_user()
    assert address.token == places.token_file.read_text().strip()
    for path in (places.state, places.buckets, places.jobs, *places.state.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path
    command = Path(f"/proc/{address.pid}/cmdline").read_bytes() + Path(f"/proc/{address.pid}/environ").read_bytes()
    assert address.token.encode() not in command + places.server_log.read_bytes()


def test_racing_starters_have_one_server() -> None:
    """Four processes that start the platform at once all end up with the same server."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from cloudml_magic.local_platform.lifecycle import ensure_running; print(ensure_running().pid)"
    )
    racers = [
        subprocess.Popen([sys.executable, "-c", code, str(ROOT)], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    pids = {racer.communicate(timeout=30)[0].strip() for racer in racers}
    assert len(pids) == 1
    found = lifecycle.find_running()
    assert found is not None
    assert pids == {str(found.pid)}


def test_it_outlives_its_starter() -> None:
    """The server is nobody's child: it stays when the process that started it ends."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from cloudml_magic.local_platform.lifecycle import ensure_running; ensure_running()"
    )
    subprocess.run([sys.executable, "-c", code, str(ROOT)], check=True, timeout=30)
    found = lifecycle.find_running()
    assert found is not None
    assert os.getsid(found.pid) == found.pid
    assert send(found, "GET", "/cloudml/v1/status")[0] == 200


def test_a_reused_process_number_is_never_trusted() -> None:
    """An address file that names a living process which is not the server counts for nothing, and none is signalled."""
    address = lifecycle.ensure_running()
    kill(address)
    places = PlatformPlaces.of_this_user()
    content = json.loads(places.address_file.read_text())
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        for change in (
            {"pid": sleeper.pid},
            {"boot_id": "another"},
            {"pid": os.getpid()},
            {"pid": "x"},
            {"port": None},
        ):
            write_private(places.address_file, json.dumps({**content, **change}))
            assert lifecycle.find_running() is None
        assert lifecycle.stop() is False
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_server_of_another_version_is_replaced_when_idle() -> None:
    """After an upgrade of the package the old server, if no job needs it, makes room for a new one."""
    old = lifecycle.ensure_running()
    places = PlatformPlaces.of_this_user()
    content = json.loads(places.address_file.read_text())
    write_private(places.address_file, json.dumps({**content, "version": "0.0.1"}))
    new = lifecycle.ensure_running()
    assert new.pid != old.pid
    assert (new.version, new.endpoint, new.token) == (old.version, old.endpoint, old.token)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"port": 1}'])
def test_damaged_files_are_no_obstacle(content: bytes) -> None:
    """Whatever a kill or a clumsy hand left in the address and token files, the platform starts."""
    kill(lifecycle.ensure_running())
    places = PlatformPlaces.of_this_user()
    places.address_file.write_bytes(content)
    places.token_file.write_bytes(content)
    address = lifecycle.ensure_running()
    assert send(address, "GET", "/cloudml/v1/status")[0] == 200


def test_a_port_that_is_taken_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port asked for and taken is one clear message; a remembered one that is taken is replaced by another."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("CLOUDML_PLATFORM_PORT", str(port))
        with pytest.raises(CloudMLError) as caught:
            lifecycle.ensure_running()
        assert str(caught.value) == (
            f"The local platform cannot listen on port {port}.\n"
            "  Why:  Address already in use.\n"
            "  Next: End what uses the port, or let the platform choose one: unset CLOUDML_PLATFORM_PORT\n"
            "[platform-port-taken]"
        )
        monkeypatch.delenv("CLOUDML_PLATFORM_PORT")
        places = PlatformPlaces.of_this_user()
        write_private(places.address_file, json.dumps({"port": port}))
        assert lifecycle.ensure_running().port != port


def test_an_unreadable_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that is no number says so before anything starts."""
    monkeypatch.setenv("CLOUDML_PLATFORM_IDLE_SECONDS", "soon")
    with pytest.raises(CloudMLError) as caught:
        lifecycle.ensure_running()
    assert str(caught.value) == (
        "CLOUDML_PLATFORM_IDLE_SECONDS is 'soon', which is no number that fits.\n"
        "  Next: Set it to another value, or unset it for the default: unset CLOUDML_PLATFORM_IDLE_SECONDS\n"
        "[platform-setting-unreadable]"
    )


def test_a_folder_that_cannot_be_made_is_named(platform_home: Path) -> None:
    """Where the state folder cannot be, the message names it and says what to do."""
    (platform_home / ".local").write_text("in the way")
    with pytest.raises(CloudMLError) as caught:
        lifecycle.ensure_running()
    assert caught.value.reference == "platform-folder-unwritable"
    assert f"Not a directory: {platform_home}/.local/state/cloudml-magic" in caught.value.why
    assert "XDG_STATE_HOME" in caught.value.next


def test_a_damaged_database_is_named_and_reset(platform_home: Path) -> None:
    """A database that is none is one clear message; a reset makes the platform start, its files in buckets kept."""
    address = lifecycle.ensure_running()
    assert send(address, "POST", "/upload/storage/v1/b/cloudml-local/o?uploadType=media&name=a", b"x")[0] == 200
    kill(address)
    places = PlatformPlaces.of_this_user()
    for path in places.state.glob("platform.sqlite*"):
        path.write_bytes(b"junk" * 5000)
    with pytest.raises(CloudMLError) as caught:
        lifecycle.ensure_running()
    assert caught.value.reference == "platform-database-damaged"
    assert caught.value.next.endswith("cloudml platform reset")
    lifecycle.reset()
    assert send(lifecycle.ensure_running(), "GET", "/storage/v1/b/cloudml-local/o/a")[1]["size"] == "1"


def test_an_idle_platform_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without requests and jobs the server ends after its idle time."""
    monkeypatch.setenv("CLOUDML_PLATFORM_IDLE_SECONDS", "1")
    lifecycle.ensure_running()
    deadline = time.monotonic() + 30
    while lifecycle.find_running() is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("kills", [5, pytest.param(500, marks=[pytest.mark.soak, only_in_soak])])
def test_what_was_acknowledged_survives_a_kill(kills: int) -> None:
    """Killed at any moment, the server starts again within two seconds with every object that it acknowledged."""
    import random
    import threading

    chance = random.Random(7)
    acknowledged: dict[str, bytes] = {}
    for round in range(kills):
        began = time.monotonic()
        address = lifecycle.ensure_running()
        assert time.monotonic() - began < within(2)
        timer = threading.Timer(chance.uniform(0.02, 0.15), kill, (address,))
        timer.start()
        number = 0
        try:
            while True:
                name, content = f"{round}/{number % 7}", f"{round}-{number}".encode() * chance.randrange(1, 3000)
                path = f"/upload/storage/v1/b/cloudml-local/o?uploadType=media&name={name}"
                maybe = {"name": name, "content": content}
                assert send(address, "POST", path, content)[0] == 200
                acknowledged[name] = content
                number += 1
        except (OSError, http.client.HTTPException):
            # The last one was not acknowledged: either state of it is right.
            acknowledged.pop(str(maybe["name"]), None)
        timer.join()
    assert len(acknowledged) > kills
    address = lifecycle.ensure_running()
    root = PlatformPlaces.of_this_user().buckets / "cloudml-local"
    for name, content in acknowledged.items():
        status, body = send(address, "GET", f"/storage/v1/b/cloudml-local/o/{name.replace('/', '%2F')}")
        assert (status, body["size"]) == (200, str(len(content)))
        assert (root / name).read_bytes() == content
    assert [path.name for path in (root.parent / ".staging").iterdir()] == []


def test_a_base_installation_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The base install brings no server; the message has the command that does."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in ("uvicorn", "uv") else object())
    for name in ("uvicorn", "uv"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(CloudMLError) as caught:
        lifecycle.ensure_running()
    assert str(caught.value) == (
        "The local platform cannot start.\n"
        "  Why:  Not installed here: uvicorn, uv.\n"
        "  Next: pip install 'cloudml-magic[local]'\n[local-platform-not-installed]"
    )
