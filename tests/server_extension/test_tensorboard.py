"""TensorBoard behind the Jupyter server: through its authentication, and no other way."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tornado.httpclient import HTTPClientError

from tests.server_extension.conftest import Server, in_thread, send

WRITING = """
import os
from pathlib import Path
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter
folder = Path(os.environ["AIP_TENSORBOARD_LOG_DIR"])
folder.mkdir(parents=True, exist_ok=True)
with (folder / "events.out.tfevents.1").open("wb") as file:
    writer = RecordWriter(file)
    for step in range(5):
        value = Summary.Value(tag="loss", simple_value=step)
        writer.write(Event(step=step, wall_time=step, summary=Summary(value=[value])).SerializeToString())
"""


async def test_scalars_of_two_jobs(
    server: Server, jp_serverapp: Any, http_server_client: Any, jp_auth_header: Any, jp_base_url: str
) -> None:
    first = await in_thread(lambda: send(WRITING, "first").wait())
    second = await in_thread(lambda: send(WRITING, "second").wait())
    path = (await server.post("tensorboard", jobs=[first.id, second.id]))["path"]
    board = path.removeprefix("cloudml/v1/").rstrip("/").split("/")
    assert (await server.post("tensorboard", jobs=[second.id, first.id]))["path"] == path, "It is found again."

    index = await http_server_client.fetch(jp_base_url + path, headers=jp_auth_header)
    assert b"<html" in index.body and "frame-ancestors 'self'" in index.headers["Content-Security-Policy"]
    assert "gstatic" not in index.headers["Content-Security-Policy"]
    runs = await until_runs(server, board, ["first", "second"])
    assert runs == ["first", "second"]
    question = urlencode({"tag": "loss", "runs": "first"})
    scalars = await server.raw("POST", *board, "data", "plugin", "scalars", "scalars_multirun", body=question,
                               headers={"Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip
    assert [value for _, _, value in json.loads(scalars.body)["first"]] == [0, 1, 2, 3, 4]

    half = await jp_serverapp.web_app.settings["cloudml_magic"].half()
    socket = half.tensorboards.socket(board[-1])
    assert socket.parent.parent.stat().st_mode & 0o777 == 0o700
    with pytest.raises(HTTPClientError) as stranger:
        await http_server_client.fetch(jp_base_url + path)
    assert stranger.value.code == 403
    process = half.tensorboards._boards[board[-1]].process
    process.stdin.close()
    assert await in_thread(lambda: process.wait(10)) == 0, "It ends when its parent has ended, however that did."
    assert not socket.parent.parent.exists(), "It leaves nothing."
    half.tensorboards.stop()
    assert not socket.parent.parent.exists()
    status, parts = await server.refused("GET", *board, "index.js")
    assert (status, parts["reference"]) == (404, "no-tensorboard")


async def until_runs(server: Server, board: list[str], wanted: list[str]) -> list[str]:
    deadline = time.monotonic() + 30
    while True:
        runs = json.loads((await server.raw("GET", *board, "data", "runs")).body)
        if sorted(runs) == wanted or time.monotonic() > deadline:
            return sorted(runs)
        await in_thread(lambda: time.sleep(0.2))


def test_one_that_nobody_asks_any_more_leaves_nothing_behind(tmp_path: Path) -> None:
    """Neither socket nor links, nor the folder of the last one."""
    folder = tmp_path / "place" / "key"
    (folder / "logs").mkdir(parents=True)
    program = (
        "import sys; from pathlib import Path; from cloudml_magic.server_extension.tensorboard import process;"
        "end = lambda: process._end(Path(sys.argv[1]));"
        "process.Attended(lambda *_: [], end, 0.05).end_when_idle()"
    )
    assert subprocess.run([sys.executable, "-c", program, str(folder)], timeout=30).returncode == 0
    assert not folder.parent.exists()
