"""A job that runs, as a page follows it: deltas over Jupyter's own event stream, in order, that lead to its end."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from cloudml_magic.server_extension.pushes import JOB_DELTA, JOBS
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


async def test_deltas_lead_from_the_first_document_to_the_last(server: Server, jp_ws_fetch: Any) -> None:
    page = Page(await jp_ws_fetch("api", "events", "subscribe"))
    await server.get("jobs")
    watch = await server.post("watch", page="one", visible=True)
    assert watch["lease_seconds"] == 90
    job = await in_thread(lambda: send("for n in range(60):\n    report(n, loss=1 / (n + 1))\n    time.sleep(0.05)"))
    sent = time.time()
    await until(lambda: job.id in page.news())
    assert time.time() - sent < 1.5
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
    assert document == last["document"]
    assert len(document["curves"][0]["values"]) == 60
    lateness = sorted(event["heard"] - event["set"]["updated_at"] for event in page.deltas(job.id))
    print("heard after", lateness[len(lateness) // 2], "s in the middle;", len(deltas), "deltas")
