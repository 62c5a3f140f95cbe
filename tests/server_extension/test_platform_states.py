"""A page looks, and starts nothing: a platform that never ran, was stopped or was killed, and one that comes back."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.local_platform import lifecycle
from tests.server_extension.conftest import Server, in_thread, send, until


@pytest.fixture
def own_server(jp_serverapp: Any, jp_fetch: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of a user who has done nothing yet."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDML_SPARE", "off")
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    yield Server(jp_fetch)
    lifecycle.stop()


async def test_nothing_is_started_by_looking(own_server: Server) -> None:
    status = await own_server.get("status")
    assert status["platform"] == {
        "state": "stopped",
        "words": "The local platform has not run yet; it starts with the first job.",
    }
    assert (status["running"], status["queued"], status["deployed"]) == (0, 0, 0)
    assert (await own_server.get("jobs"))["jobs"] == []
    assert (await own_server.get("models")) == {"models": []}
    assert (await own_server.get("buckets")) == {"buckets": []}
    assert (await own_server.get("jobs", ids="1"))["unknown"] == ["1"]
    await own_server.post("watch", page="one", visible=True)
    await in_thread(lambda: None)
    assert lifecycle.find_running() is None


async def test_stopped_killed_and_back(own_server: Server) -> None:
    await own_server.post("watch", page="one", visible=True)
    job = await in_thread(lambda: send("print(1)").wait())
    assert (await own_server.get("status"))["platform"] == {"state": "up", "words": "The local platform runs."}

    await in_thread(lifecycle.stop)
    assert (await own_server.get("status"))["platform"]["state"] == "stopped"
    for route in ("jobs", "models", "buckets"):
        status, parts = await own_server.refused("GET", route)
        assert (status, parts) == (
            502,
            {
                "reference": "platform-stopped",
                "what": "The local platform was stopped; it starts with the next job.",
                "why": "",
                "next": "Start it: `cloudml platform start`.",
            },
        )
    assert lifecycle.find_running() is None

    await in_thread(lifecycle.ensure_running)
    assert [each["document"]["id"] for each in (await own_server.get("jobs"))["jobs"]] == [job.id]

    running = lifecycle.find_running()
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    await until(lambda: lifecycle.find_running() is None)
    assert (await own_server.get("status"))["platform"]["state"] == "unreachable"
    status, parts = await own_server.refused("GET", "jobs")
    assert (status, parts["reference"]) == (502, "platform-unreachable")
    assert lifecycle.find_running() is None

    another = await in_thread(lambda: send("print(2)", "another").wait())
    listed = await own_server.get("jobs")
    assert {each["document"]["id"] for each in listed["jobs"]} == {job.id, another.id}


async def test_a_platform_that_hangs_is_said_within_seconds(own_server: Server) -> None:
    """It holds up neither the status line nor the server's threads."""
    await in_thread(lambda: send("print(1)").wait())
    platform = lifecycle.find_running()
    assert platform is not None
    os.kill(platform.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        status = await own_server.get("status")
        assert status["platform"] == {
            "state": "unreachable",
            "words": "The local platform does not answer; jobs that run go on.",
        }
        code, parts = await own_server.refused("GET", "jobs")
        assert (code, parts["reference"], parts["next"]) == (
            502,
            "platform-unreachable",
            "`cloudml doctor` looks into it.",
        )
        assert time.monotonic() - began < 10
    finally:
        os.kill(platform.pid, signal.SIGCONT)
    await until_well(own_server)


async def until_well(server: Server) -> None:
    for _ in range(50):
        if (await server.get("status"))["platform"]["state"] == "up":
            return
        await asyncio.sleep(0.1)
    raise AssertionError("It did not come back.")
