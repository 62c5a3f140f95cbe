"""One job that reports nonsense, or cannot be followed at all: the others are followed, and pages know that we live."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import JobEvent, JobOrigin, JobSnapshot, Target
from cloudml_magic.server_extension.attendance import Attendance, AttendedFile
from cloudml_magic.server_extension.following import folded_job
from cloudml_magic.server_extension.following.folded_job import FoldedJob
from cloudml_magic.server_extension.following.follower import Follower
from cloudml_magic.server_extension.following.heartbeat import Heartbeat
from cloudml_magic.server_extension.job_answers import JobAnswers
from cloudml_magic.server_extension.pushes import JOB_DELTA, JOBS
from cloudml_magic.states import JobState
from tests.server_extension.conftest import Server, in_thread, send
from tests.server_extension.test_jobs import check

LINES = {
    "an infinite step": '{"kind": "metric", "time": 1.0, "step": "inf", "metrics": {"loss": 1}}',
    "a time of 401 digits": f'{{"kind": "metric", "time": {"9" * 401}, "step": 1, "metrics": {{"loss": 1}}}}',
    "an epoch without end": '{"kind": "epoch", "time": 1.0, "epochs": 9007199254740991, "seconds": 1e308}',
    "rows at the end of time": '{"kind": "rows", "time": 1e308, "done": 1, "total": 9007199254740991}',
}


class Playing:
    """A job that reports what it is given, and then goes on in silence."""

    origin = JobOrigin()

    def __init__(self, job_id: str, *events: JobEvent | Exception) -> None:
        self.id = self.name = job_id
        self.last_seen = JobSnapshot(
            job_id, f"jobs/{job_id}", "digits", JobState.RUNNING, Target.LOCAL, "", created=1.0
        )
        self._events = events
        self._end = threading.Event()

    def snapshot(self) -> JobSnapshot:
        return self.last_seen

    def watch(self, *, log_tail: int | None = None, reading: Any = None) -> Iterator[JobEvent]:
        for event in self._events:
            if isinstance(event, Exception):
                raise event
            yield event
        while not reading.is_ended:
            time.sleep(0.01)


class Log:
    """The server's log."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def error(self, words: str, *details: Any, exc_info: Any = None) -> None:
        self.errors.append(words % details)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def pushed() -> list[tuple[str, dict[str, Any]]]:
    return []


@pytest.fixture
def follower(home: object, log: Log, pushed: list[Any], tmp_path: Any) -> Iterator[Follower]:
    heartbeat = Heartbeat("s", lambda schema, data: pushed.append((schema, data)))
    follower = Follower("s", Attendance(90.0), AttendedFile(lambda: tmp_path / "attended"), heartbeat, 50, log)
    yield follower
    follower.stop()


GOOD = JobEvent("metric", time.time() + 60, {"step": 1, "metrics": {"loss": 1}})


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
async def test_a_job_that_writes_nonsense_breaks_no_list(server: Server, line: str) -> None:
    write = "import os, pathlib\nfolder = pathlib.Path(os.environ['AIP_MODEL_DIR']).parent\n"
    bad = await in_thread(
        lambda: send(f"{write}with (folder / 'events.jsonl').open('a') as file: file.write({line + chr(10)!r})", "bad")
    )
    good = await in_thread(lambda: send("report(1, loss=1)", "good").wait())
    await in_thread(bad.wait)
    for answer in (await server.get("jobs"), await server.get("jobs", ids=f"{bad.id},{good.id}")):
        documents = {each["document"]["id"]: each["document"] for each in answer["jobs"]}
        assert documents.keys() >= {bad.id, good.id}
        for document in documents.values():
            check(document)


@pytest.mark.parametrize(
    "problem", [OverflowError("int too large"), CloudMLError("permission-denied", "No.")], ids=["fault", "refusal"]
)
def test_a_job_that_cannot_be_followed_is_what_the_platform_says(
    follower: Follower, log: Log, problem: Exception
) -> None:
    """With a warning in words; the job beside it is whole, and the log says it once."""
    jobs: list[Any] = [Playing("1", GOOD, problem), Playing("2", GOOD)]
    for _ in range(2):
        listing = JobAnswers(follower).listing(jobs, False)
        bad, good = (each["document"] for each in listing["jobs"])
        for document in (bad, good):
            check(json.loads(json.dumps(document, allow_nan=False)))
        assert "cannot be shown" in bad["warnings"][0] and bad["curves"] == [] and bad["state"] == "RUNNING"
        assert good["warnings"] == [] and good["curves"][0]["values"] == [1]
    assert len(log.errors) == 1 and "Job 1 " in log.errors[0]


@pytest.mark.parametrize("problem", [OverflowError("int too large"), CloudMLError("bucket-failed", "No.")])
def test_what_cannot_be_read_of_a_job_that_has_ended_costs_only_its_own_answer(
    follower: Follower, log: Log, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    """Its bundle is refused: a page would write it over a card that tells more."""
    ended: Any = Playing("1", problem)
    ended.last_seen = replace(ended.last_seen, state=JobState.SUCCEEDED)
    answers = JobAnswers(follower)
    (listed,) = answers.listing([ended], False)["jobs"]
    check(listed["document"])
    assert listed["document"]["state"] == "SUCCEEDED" and "cannot be shown" in listed["document"]["warnings"][0]
    assert len(log.errors) == 1
    monkeypatch.setattr(answers, "_job", lambda job_id: ended)
    with pytest.raises(CloudMLError, match="cannot be shown"):
        answers.bundle("1")


def test_a_platform_that_is_gone_is_said_and_is_no_trouble_of_a_job(follower: Follower, log: Log) -> None:
    jobs: list[Any] = [Playing("1", CloudMLError("platform-stopped", "It was stopped."))]
    with pytest.raises(CloudMLError, match="It was stopped"):
        JobAnswers(follower).listing(jobs, False)
    assert log.errors == []


def test_a_job_that_cannot_be_published_does_not_stop_the_others(
    follower: Follower, log: Log, pushed: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It falls back to what the platform says, and that reaches the pages."""

    def failing(before: Any, after: Any) -> Any:
        if before.document["id"] == "1" and after.document["warnings"] == []:
            raise ValueError("Out of range")
        return changes(before, after)

    changes = folded_job.changes
    monkeypatch.setattr(folded_job, "changes", failing)
    bad, good = follower.running(Playing("1", GOOD)), follower.running(Playing("2", GOOD))  # type: ignore[arg-type]
    for each in (bad, good):
        each.look(each.job.last_seen)
        each.numbered()
        follower.read(each)
    # No platform runs here that would list them.
    monkeypatch.setattr(follower, "_look", lambda: None)
    follower.renew("page", visible=True)
    wait(lambda: {data["job"] for schema, data in pushed if schema == JOB_DELTA} == {"1", "2"})
    wait(lambda: bad.is_given_up and not good.is_given_up)
    assert bad.numbered()[1].curves == () and len(good.numbered()[1].curves) == 1
    assert len(log.errors) == 1


def test_a_follower_that_died_is_started_anew(follower: Follower, pushed: list[Any]) -> None:
    follower.renew("page", visible=True)
    dead = follower._thread
    follower._thread = ended = threading.Thread(target=lambda: None)
    ended.start()
    ended.join()
    follower.renew("page", visible=True)
    assert follower._thread not in (dead, ended) and follower._thread is not None and follower._thread.is_alive()


def test_a_quiet_jobs_document_is_true_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has happened, but time has passed; no page has missed anything."""
    told: list[Any] = []
    quiet = FoldedJob(Playing("1"), "s", told.append, told.append)  # type: ignore[arg-type]
    quiet.look(quiet.job.last_seen)
    number, before = quiet.numbered()
    later = time.time() + 100
    monkeypatch.setattr(folded_job.time, "time", lambda: later)
    again, after = quiet.numbered()
    assert (again, after.updated) == (number, later) and before.updated < later and told == []
    assert after.elapsed == pytest.approx(later - 1.0)


def test_a_heart_beats_in_silence_while_something_goes_on() -> None:
    """Not where something else was heard, and not where nobody waits for anything."""
    now, pushed, operates = [0.0], [], [False]
    heartbeat = Heartbeat("s", lambda schema, data: pushed.append((schema, data)), lambda: now[0])
    heartbeat.beats_for(lambda: operates[0])
    beat = (JOBS, {"session": "s", "jobs": []})
    now[0] = 4.9
    heartbeat.beat(jobs_run=True)
    assert pushed == []
    now[0] = 5.0
    heartbeat.beat(jobs_run=True)
    assert pushed == [beat]
    now[0] = 9.0
    heartbeat.send(JOB_DELTA, {})
    now[0] = 13.0
    heartbeat.beat(jobs_run=True)
    assert len(pushed) == 2
    now[0] = 30.0
    heartbeat.beat(jobs_run=False)
    assert len(pushed) == 2
    operates[0] = True
    heartbeat.beat(jobs_run=False)
    assert pushed[2:] == [beat]


def wait(found: Any) -> None:
    deadline = time.monotonic() + 30
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.01)
