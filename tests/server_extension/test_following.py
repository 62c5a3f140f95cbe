"""A job that runs, as a page follows it: deltas over Jupyter's own event stream, in order, that lead to its end."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from jupyter_events import EventLogger

from cloudml_magic import pipeline
from cloudml_magic.places import lab_attended_file
from cloudml_magic.server_extension.application import ServerExtension
from cloudml_magic.server_extension.attendance import Attendance
from cloudml_magic.server_extension.following.beat import Beat
from cloudml_magic.server_extension.pushes import JOB_DELTA, JOBS
from tests.long_counts import within
from tests.server_extension.conftest import Server, in_thread, send, until
from tests.server_extension.pages import fold
from tests.server_extension.test_jobs import check


class Page:
    """What a page hears."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self.heard: list[dict[str, Any]] = []
        self._task = asyncio.ensure_future(self._listen())

    async def _listen(self) -> None:
        while (message := await self._socket.read_message()) is not None:
            event = json.loads(message)
            self.heard.append({**event, "heard": time.time()})

    def deltas(self, job: str) -> list[dict[str, Any]]:
        return [event for event in self.heard if event["schema_id"] == JOB_DELTA and event["job"] == job]

    def news(self) -> list[str]:
        return [job for event in self.heard if event["schema_id"] == JOBS for job in event["jobs"]]


def plain(event: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in event.items() if not name.startswith("__") and name not in ("schema_id", "heard")
    }


def untimed(document: dict[str, Any]) -> dict[str, Any]:
    """But for when it was true."""
    return {**document, "updated_at": None}


async def test_deltas_lead_from_the_first_document_to_the_last(server: Server, jp_ws_fetch: Any) -> None:
    page = Page(await jp_ws_fetch("api", "events", "subscribe"))
    await server.get("jobs")
    watch = await server.post("watch", page="one", visible=True)
    assert watch["lease_seconds"] == 90
    job = await in_thread(lambda: send("for n in range(60):\n    report(n, loss=1 / (n + 1))\n    time.sleep(0.05)"))
    sent = time.time()
    await until(lambda: job.id in page.news())
    assert time.time() - sent < within(1.5)
    (numbered,) = (await server.get("jobs", ids=job.id))["jobs"]
    first, document = numbered["seq"], numbered["document"]
    await until(lambda: any(event["set"].get("state") == "SUCCEEDED" for event in page.deltas(job.id)))

    deltas = [plain(event) for event in page.deltas(job.id)]
    assert [delta["seq"] for delta in deltas] == list(range(deltas[0]["seq"], deltas[0]["seq"] + len(deltas)))
    for delta in deltas:
        check(delta, "delta")
        assert delta["session"] == watch["session"]
        if delta["seq"] > first:
            document = fold(document, delta)
    (last,) = (await server.get("jobs", ids=job.id))["jobs"]
    assert last["seq"] == deltas[-1]["seq"]
    assert untimed(document) == untimed(last["document"])
    assert len(document["curves"][0]["values"]) == 60
    gaps = [later["heard"] - event["heard"] for event, later in pairwise(page.deltas(job.id)[:-1])]
    assert sorted(gaps)[len(gaps) // 2] > 0.12, "What comes fast is gathered."


async def test_nobody_looks_any_more(server: Server, jp_ws_fetch: Any, jp_serverapp: Any) -> None:
    """The reader lets go at once; when somebody looks again, one delta tells of all that was missed."""
    page = Page(await jp_ws_fetch("api", "events", "subscribe"))
    half = await jp_serverapp.web_app.settings["cloudml_magic"].half()
    await server.post("watch", page="one", visible=True)
    job = await in_thread(lambda: send("for n in range(100):\n    report(n, reward=n)\n    time.sleep(0.05)"))
    await until(lambda: len(page.deltas(job.id)) > 3)
    (held,) = (await server.get("jobs", ids=job.id))["jobs"]

    await server.post("watch", page="one", visible=False)
    await until(lambda: not readers())
    assert half.attendance.is_open and not half.attendance.is_visible
    await asyncio.sleep(0.3)
    silent = len(page.deltas(job.id))
    await asyncio.sleep(0.5)
    assert len(page.deltas(job.id)) == silent

    await server.post("watch", page="one", visible=True)
    await until(lambda: any(event["set"].get("state") == "SUCCEEDED" for event in page.deltas(job.id)))
    document = held["document"]
    for event in page.deltas(job.id):
        if event["seq"] > held["seq"]:
            document = fold(document, plain(event))
    (last,) = (await server.get("jobs", ids=job.id))["jobs"]
    assert untimed(document) == untimed(last["document"]) and document["curves"][0]["values"] == list(range(100))


def readers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("cloudml-follow-")]


async def test_without_a_page_a_job_is_read_for_a_moment_only(server: Server) -> None:
    job = await in_thread(lambda: send("for n in range(40):\n    report(n, reward=n)\n    time.sleep(0.05)"))
    await until(lambda: job.state.value == "RUNNING")
    (first,) = (await server.get("jobs", ids=job.id))["jobs"]
    await until(lambda: not readers())
    await in_thread(job.wait)
    (last,) = (await server.get("jobs", ids=job.id))["jobs"]
    assert last["seq"] > first["seq"], "Who holds the first document has to ask for the whole."
    assert last["document"]["state"] == "SUCCEEDED"


async def test_a_page_that_is_open_is_attended(server: Server, jp_serverapp: Any) -> None:
    stale, other = lab_attended_file("0123"), lab_attended_file("4567")
    stale.parent.mkdir(parents=True, exist_ok=True)
    for file, age in ((stale, 90_000), (other, 80_000)):
        file.touch()
        os.utime(file, (time.time() - age, time.time() - age))
    session = (await server.post("watch", page="hidden", visible=False))["session"]
    attended = lab_attended_file(session)
    await until(attended.exists)
    assert os.environ["CLOUDML_LAB"] == session
    assert not stale.exists() and other.exists(), "What is left of a server that died is taken away after a day."
    await jp_serverapp.web_app.settings["cloudml_magic"].stop_extension()
    assert not attended.exists()


async def test_jobs_that_go_are_told(server: Server, jp_ws_fetch: Any) -> None:
    job = await in_thread(lambda: send("print(1)").wait())
    page = Page(await jp_ws_fetch("api", "events", "subscribe"))
    await server.get("jobs", ids=job.id)
    words = (await server.get("jobs", job.id, "deletion"))["words"]
    assert words == "job with all that they left in the bucket"
    assert await server.post("jobs", job.id, "delete") == {}
    await until(lambda: job.id in page.news())
    assert (await server.get("jobs", ids=job.id))["unknown"] == [job.id]


async def test_a_job_is_cancelled(server: Server) -> None:
    job = await in_thread(lambda: send("time.sleep(60)"))
    await until(lambda: job.state.value == "RUNNING")
    status, parts = await server.refused("GET", "jobs", job.id, "deletion")
    assert (status, parts["reference"]) == (409, "job-not-ended")
    status, parts = await server.refused("POST", "jobs", job.id, "deploy", body="{}")
    assert (status, parts["next"]) == (409, "Deploy its model when it has ended.")
    assert await server.post("jobs", job.id, "cancel") == {}
    await until(lambda: job.state.value == "CANCELLED")


def test_leases_end_by_themselves() -> None:
    now = [0.0]
    attendance = Attendance(90.0, clock=lambda: now[0])
    attendance.renew("one", visible=True)
    attendance.renew("two", visible=False)
    assert attendance.is_open and attendance.is_visible
    now[0] = 89.0
    attendance.renew("two", visible=False)
    now[0] = 91.0
    assert attendance.is_open and not attendance.is_visible
    now[0] = 180.0
    assert not attendance.is_open


def test_another_server_is_another_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDML_LAB", "")
    sessions = set()
    for _ in "ab":
        extension = ServerExtension()
        extension.serverapp = SimpleNamespace(event_logger=EventLogger())  # type: ignore[assignment]
        extension.initialize_settings()
        sessions.add(extension.session)
    assert len(sessions) == 2 and os.environ["CLOUDML_LAB"] in sessions


async def test_a_job_that_is_deleted_elsewhere_while_it_is_shown(server: Server) -> None:
    """The others of the same question are answered."""
    await server.post("watch", page="one", visible=True)
    kept = await in_thread(lambda: send("print(1)", "kept").wait())
    gone = await in_thread(lambda: send("time.sleep(60)", "gone"))
    await until(lambda: gone.state.value == "RUNNING")
    assert len((await server.get("jobs", ids=f"{kept.id},{gone.id}"))["jobs"]) == 2
    await in_thread(gone.cancel)
    await until(lambda: gone.state.value == "CANCELLED")
    await in_thread(lambda: pipeline.delete([gone]))
    await until_unknown(server, kept.id, gone.id)


async def until_unknown(server: Server, kept: str, gone: str) -> None:
    deadline = time.monotonic() + 30
    while (answer := await server.get("jobs", ids=f"{kept},{gone}"))["unknown"] != [gone]:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)
    assert [each["document"]["id"] for each in answer["jobs"]] == [kept]


def test_the_more_jobs_run_the_rarer_each_is_told() -> None:
    """One at once, ten once a second, at moments that are the same for all."""
    pace = Beat()
    seconds = []
    for running in (0, 1, 2, 5, 10, 11, 100):
        pace.follow(running)
        seconds.append(round(pace.seconds, 2))
    assert seconds == [0.15, 0.15, 0.15, 0.4, 0.9, 1.0, 1.0]
    assert not pace.is_quick
    assert [pace.is_due(now, told=7.3) for now in (7.31, 7.99, 8.0, 8.2)] == [False, False, True, True]


async def test_beside_many_others_a_job_is_told_at_the_common_moments_only(
    server: Server, jp_ws_fetch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost between them."""
    monkeypatch.setattr(Beat, "follow", lambda pace, running: setattr(pace, "seconds", 0.9))
    page = Page(await jp_ws_fetch("api", "events", "subscribe"))
    await server.get("jobs")
    await server.post("watch", page="many", visible=True)
    job = await in_thread(lambda: send("for n in range(300):\n    report(n, loss=1 / (n + 1))\n    time.sleep(0.02)"))
    await until(lambda: any(event["set"].get("state") == "SUCCEEDED" for event in page.deltas(job.id)), within(30))
    told = page.deltas(job.id)
    steps = [point["step"] for delta in told for point in delta["points"]]
    assert steps == sorted(steps) and steps[-1] == 299
    assert len(told) < within(12)
