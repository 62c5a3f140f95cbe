"""The live event stream of a job."""

from __future__ import annotations

import http.client
import json
import statistics
import threading
import time
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.states import JobState
from tests.long_counts import within

from .conftest import JOB, JOBS, TOKEN, Served


class Watcher:
    """A client of the stream."""

    def __init__(self, served: Served, id: str, query: str = "", last: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
        headers = {"Authorization": f"Bearer {TOKEN}", **({"Last-Event-ID": last} if last else {})}
        self.connection.request("GET", f"/cloudml/v1/jobs/{id}/events{query}", headers=headers)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        assert self.answer.getheader("content-type") == "text/event-stream; charset=utf-8"
        self.last = ""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while line := self.answer.readline():
            if line.startswith(b"id: "):
                self.last = line[4:].decode().strip()
            if line.startswith(b"data: "):
                yield json.loads(line[6:])

    def close(self) -> None:
        self.connection.close()


def new_job(served: Served, number: int = 1) -> tuple[str, Path, Path]:
    """A job's id, its folder in the bucket and the folder of its captured output."""
    job: Any = deepcopy(JOB)
    job["labels"]["cloudml-token"] = f"t{number}"
    job["jobSpec"]["baseOutputDirectory"]["outputUriPrefix"] = f"gs://cloudml-local/jobs/j-{number}/"
    id = served.ask("POST", JOBS, job)["name"].rpartition("/")[2]
    return (
        id,
        served.places.buckets / "cloudml-local" / "jobs" / f"j-{number}",
        served.places.jobs / id / "workerpool0-0",
    )


def write_log(folder: Path, stream: int, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    log, index = folder / "output.log", folder / "output.index"
    offset = log.stat().st_size if log.exists() else 0
    with index.open("a") as file:
        file.write(f"{time.time()} {offset} {stream}\n")
    with log.open("ab") as file:
        file.write(content)


def append(folder: Path, *events: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "events.jsonl").open("a") as file:
        for event in events:
            file.write(json.dumps(event) + "\n")


def test_a_stream_tells_a_jobs_whole_life(served: Served) -> None:
    """State, events and log lines arrive as they happen, and the stream ends after the final state."""
    id, folder, output = new_job(served)
    seen: list[dict[str, Any]] = []
    watcher = Watcher(served, id)
    events = iter(watcher)
    seen.append(next(events))
    thread = threading.Thread(target=lambda: seen.extend(events))
    thread.start()
    served.runner.run(id)
    append(folder, {"kind": "epoch", "time": 1.5, "epoch": 1, "metrics": {"loss": 0.5}})
    write_log(output, 1, b"hello\npart")
    time.sleep(0.3)
    write_log(output, 1, b"ial\n")
    write_log(output, 2, b"oh\nlast")
    served.runner.finish(id)
    thread.join(10)
    assert not thread.is_alive()
    states = [event["state"] for event in seen if event["kind"] == "state"]
    assert (states[0], states[-1]) == ("QUEUED", "SUCCEEDED")
    assert seen[-1]["kind"] == "state"
    assert [event for event in seen if event["kind"] == "epoch"] == [
        {"kind": "epoch", "time": 1.5, "epoch": 1, "metrics": {"loss": 0.5}}
    ]
    logs = [(event["text"], event["severity"]) for event in seen if event["kind"] == "log"]
    assert logs == [("hello", "INFO"), ("partial", "INFO"), ("oh", "ERROR"), ("last", "ERROR")]


def test_a_stream_is_taken_up_where_it_broke(served: Served) -> None:
    """With Last-Event-ID nothing is told twice and nothing is missed."""
    id, folder, output = new_job(served)
    served.runner.run(id)
    append(folder, *({"kind": "metric", "time": 1, "step": number} for number in range(10)))
    write_log(output, 1, b"".join(b"line %d\n" % number for number in range(10)))
    watcher = Watcher(served, id)
    first = []
    for event in watcher:
        first.append(event)
        if event.get("text") == "line 4":
            break
    watcher.close()
    append(folder, {"kind": "metric", "time": 1, "step": 10})
    served.runner.finish(id)
    rest = list(Watcher(served, id, last=watcher.last))
    steps = [event["step"] for event in first + rest if event["kind"] == "metric"]
    lines = [event["text"] for event in first + rest if event["kind"] == "log"]
    assert steps == list(range(11))
    assert lines == [f"line {number}" for number in range(10)]
    assert served.refused("GET", f"/cloudml/v1/jobs/{id}/events", headers={"Last-Event-ID": "cow"})["code"] == 400


def test_only_the_tail_of_the_log_is_told_on_demand(served: Served) -> None:
    """log_tail=N begins N lines before the end of what the log holds; zero tells no past line."""
    id, folder, output = new_job(served)
    served.runner.run(id)
    write_log(output, 1, b"".join(b"line %d\n" % number for number in range(10)))
    append(folder, {"kind": "metric", "time": 1, "step": 1})
    served.runner.finish(id)
    for tail, expected in ((0, []), (3, ["line 7", "line 8", "line 9"]), (99, [f"line {n}" for n in range(10)])):
        seen = list(Watcher(served, id, f"?log_tail={tail}"))
        assert [event["text"] for event in seen if event["kind"] == "log"] == expected
        assert [event["step"] for event in seen if event["kind"] == "metric"] == [1]


def test_hostile_lines_are_passed_over(served: Served) -> None:
    """Broken, huge, deep and forged lines of a job stop nothing and are not told."""
    id, folder, _ = new_job(served)
    served.runner.run(id)
    folder.mkdir(parents=True)
    good = b'{"kind": "metric", "time": 1, "step": 7, "metrics": {"loss": NaN, "big": 1e999}}\n'
    hostile = [
        b"\xff\xfe\x00\n", b"{\n", b"[1]\n", b"null\n", b'{"kind": 5, "time": 1}\n', b'{"kind": "epoch"}\n',
        b'{"kind": "state", "time": 1, "state": "SUCCEEDED"}\n', b'{"kind": "log", "time": 1, "text": "forged"}\n',
        b"[" * 100_000 + b"\n", b'{"kind":"x","time":1,"a":"' + b"x" * (3 * 1024 * 1024) + b'"}\n',
        b'{"kind":"x","time":' + b"9" * 5000 + b"}\n",
        b'{"kind":"note","time":2,"t":"\xe2\x80\xa8\\ud800"}\n',
    ]  # fmt: skip
    (folder / "events.jsonl").write_bytes(b"".join(hostile) + good + b'{"kind": "half')
    served.runner.finish(id)
    kinds = [event for event in Watcher(served, id) if event["kind"] != "state"]
    assert [event["kind"] for event in kinds] == ["note", "metric"]
    assert kinds[1] == {"kind": "metric", "time": 1, "step": 7, "metrics": {"loss": "NaN", "big": "inf"}}


def test_an_event_arrives_within_ten_milliseconds(served: Served) -> None:
    """From written to received an event takes less than 10 ms at the median."""
    id, folder, _ = new_job(served)
    served.runner.run(id)
    append(folder, {"kind": "metric", "time": time.time(), "step": -1})
    delays: list[float] = []
    ready = threading.Event()

    def watch() -> None:
        for event in Watcher(served, id):
            if event["kind"] == "metric":
                ready.set()
                if event["step"] >= 0:
                    delays.append(time.time() - event["time"])

    thread = threading.Thread(target=watch)
    thread.start()
    assert ready.wait(30)
    for step in range(60):
        time.sleep(0.02)
        append(folder, {"kind": "metric", "time": time.time(), "step": step})
    time.sleep(0.2)
    served.runner.finish(id)
    thread.join(10)
    assert len(delays) == 60
    assert statistics.median(delays) < 0.050


def test_twenty_watchers_cost_next_to_nothing(served: Served) -> None:
    """Twenty idle watchers of twenty running jobs cost less than 2 % of one core."""
    watchers = []
    for number in range(20):
        id, folder, output = new_job(served, number)
        served.runner.run(id)
        append(folder, {"kind": "metric", "time": 1, "step": 1})
        write_log(output, 1, b"x\n")
        watchers.append(Watcher(served, id))
    time.sleep(1.5)
    before = time.process_time()
    time.sleep(3)
    spent = time.process_time() - before
    for watcher in watchers:
        watcher.close()
    assert spent / 3 < within(0.02)


def test_a_deleted_job_ends_its_streams(served: Served) -> None:
    """A watcher of a job that is cancelled and deleted is let go; one of no job is told 404."""
    id, _, _ = new_job(served)
    watcher = Watcher(served, id)
    served.ask("POST", f"{JOBS}/{id}:cancel")
    served.ask("DELETE", f"{JOBS}/{id}")
    assert all(event["kind"] == "state" for event in watcher)
    assert served.refused("GET", f"/cloudml/v1/jobs/{id}/events")["code"] == 404


@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.FAILED])
def test_an_ended_jobs_stream_is_a_replay(served: Served, state: JobState) -> None:
    """Who comes late is told everything once, then the final state with its error."""
    id, folder, _ = new_job(served)
    served.runner.run(id)
    append(folder, {"kind": "finished", "time": 2})
    error = (3, "It broke.") if state is JobState.FAILED else None
    served.runner.resources.update_job(id, state=state, ended=time.time(), error=error)
    seen = list(Watcher(served, id))
    assert [event["kind"] for event in seen] == ["finished", "state"]
    assert seen[-1].get("error") == (error[1] if error else None)
