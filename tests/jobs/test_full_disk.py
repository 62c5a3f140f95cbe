"""A full disk delays what is written of a job; it loses no job, no slot and no end."""

from __future__ import annotations

import errno
import json
import shutil
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cloudml_magic.local_platform.jobs import outcomes, preparation
from cloudml_magic.states import JobState

from .conftest import Bench, MemoryStore, container

ROOT = Path(__file__).resolve().parents[2]
FULL = "database or disk is full"


@dataclass
class FullStore(MemoryStore):
    """Refuses to move jobs into some states until there is room again."""

    full_for: set[JobState] = field(default_factory=set)
    refused: list[JobState] = field(default_factory=list)

    def update_job(self, id: str, **changes: Any) -> None:
        state = changes.get("state")
        if state in self.full_for:
            self.refused.append(state)
            raise sqlite3.OperationalError(FULL)
        super().update_job(id, **changes)


@pytest.fixture
def store(bench: Bench) -> FullStore:
    """A platform that runs one job at a time on a disk that a test fills."""
    bench.runner.close()
    bench.store = FullStore()
    bench.settings = type(bench.settings)(cpu_jobs=1, spare=False)
    bench.runner = bench.new_runner()
    bench.runner.start()
    return bench.store


def wait_for_refusal(store: FullStore, state: JobState, times: int = 1) -> None:
    deadline = time.monotonic() + 20
    while store.refused.count(state) < times:
        assert time.monotonic() < deadline, store
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("state", "command", "end"),
    [
        (JobState.PREPARING, "true", JobState.SUCCEEDED),
        (JobState.RUNNING, "true", JobState.SUCCEEDED),
        (JobState.SUCCEEDED, "true", JobState.SUCCEEDED),
        (JobState.FAILED, "exit 3", JobState.FAILED),
    ],
)
def test_what_cannot_be_recorded_is_recorded_when_there_is_room(
    bench: Bench, store: FullStore, state: JobState, command: str, end: JobState
) -> None:
    """Whichever step the store refuses, again and again, the job gets there as soon as the store can be written."""
    store.full_for = {state}
    job = bench.submit(container("sh", "-c", command))
    wait_for_refusal(store, state, 2)
    assert not store.all[job].state.is_final
    before = time.time()
    store.full_for = set()
    ended = bench.wait(job, seconds=10)
    assert ended.state is end
    assert store.passed[job] == [JobState.QUEUED, JobState.PREPARING, JobState.RUNNING, end]
    if state in (JobState.SUCCEEDED, JobState.FAILED):
        assert ended.ended is not None and ended.ended < before, "the time is that of the end, not of the record"


def test_the_slot_of_an_unrecorded_job_is_given_back(bench: Bench, store: FullStore) -> None:
    """The next job runs although the end of the one before cannot be recorded yet."""
    store.full_for = {JobState.FAILED}
    first = bench.submit(container("sh", "-c", "exit 1"))
    second = bench.submit(container("true"))
    assert bench.wait(second).state is JobState.SUCCEEDED
    assert store.all[first].state is JobState.RUNNING
    store.full_for = set()
    assert bench.wait(first, seconds=10).state is JobState.FAILED


def test_a_job_that_fills_the_disk_can_be_cancelled(bench: Bench, store: FullStore) -> None:
    """A cancellation ends the processes at once, though nothing of it can be recorded until there is room."""
    job = bench.submit(container("sh", "-c", "echo up; exec sleep 60"))
    bench.wait_for_log(job, "up")
    bench.wait(job, JobState.RUNNING)
    store.full_for = {JobState.CANCELLING, JobState.CANCELLED}
    bench.runner.cancel(job)
    other = bench.submit(container("true"))
    assert bench.wait(other).state is JobState.SUCCEEDED
    assert store.all[job].state is JobState.RUNNING
    store.full_for = set()
    assert bench.wait(job, seconds=10).state is JobState.CANCELLED
    assert store.passed[job][-2:] == [JobState.CANCELLING, JobState.CANCELLED]


def test_a_cancellation_after_the_end_changes_nothing(bench: Bench, store: FullStore) -> None:
    """A job that has succeeded, though nobody could record it, does not become a cancelled one."""
    store.full_for = {JobState.SUCCEEDED}
    job = bench.submit(container("true"))
    wait_for_refusal(store, JobState.SUCCEEDED)
    bench.runner.cancel(job)
    store.full_for = set()
    assert bench.wait(job, seconds=10).state is JobState.SUCCEEDED


def test_a_waiting_job_whose_cancellation_is_refused_keeps_waiting(bench: Bench, store: FullStore) -> None:
    """Who cancels it is told of the full disk, and it keeps its place in the queue."""
    running = bench.submit(container("sh", "-c", "echo up; exec sleep 60"))
    bench.wait_for_log(running, "up")
    waiting = bench.submit(container("true"))
    store.full_for = {JobState.CANCELLED}
    with pytest.raises(sqlite3.OperationalError, match=FULL):
        bench.runner.cancel(waiting)
    assert bench.runner.position(waiting) == 1
    store.full_for = set()
    bench.runner.cancel(waiting)
    assert store.all[waiting].state is JobState.CANCELLED
    bench.runner.cancel(running)


def test_a_job_that_finds_no_room_to_start_fails_by_name(
    bench: Bench, store: FullStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Preparation on a full disk is a failure of the job in one sentence, recorded when there is room."""

    def without_room(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(preparation.Preparation, "_assignment", without_room)
    store.full_for = {JobState.FAILED}
    job = bench.submit(container("true"))
    wait_for_refusal(store, JobState.FAILED, 2)
    store.full_for = set()
    assert bench.wait(job, seconds=10).error == (
        8,
        "The job could not start: the disk is full. Free space on the disk, then submit the job again.",
    )


def test_a_job_whose_packages_cannot_be_pinned_is_not_lost(
    bench: Bench, store: FullStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stored job always reaches an end, also if its folder could not be made when it was submitted."""
    first, calls = preparation.Preparation.pin, []

    def pin(self: Any, *arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        first(self, *arguments)

    monkeypatch.setattr(preparation.Preparation, "pin", pin)
    assert bench.run(container("true")).state is JobState.SUCCEEDED
    assert len(calls) == 2


def test_a_failure_without_a_word_on_a_full_disk_names_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the log had no room for the reason, the job's message has it; so has that of a lost replica."""
    full = SimpleNamespace(total=1 << 20, used=1 << 20, free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
    job = bench.run(container("sh", "-c", "exit 1"))
    assert job.error == (
        3,
        "The replica workerpool0-0 exited with a non-zero status of 1. Termination reason: Error.\n"
        "The disk is full. Free space on it, then submit the job again.",
    )
    assert outcomes.lost("workerpool0-0", bench.places.jobs) == (
        8,
        "The replica workerpool0-0 could not be watched over: the disk is full."
        " Free space on the disk, then submit the job again.",
    )


FILL = """
import os
with open(os.environ["AIP_MODEL_DIR"] + "big", "wb", buffering=0) as file:
    for size in (65536, 4096, 1):
        try:
            while True:
                file.write(b"x" * size)
        except OSError:
            pass
"""
REALLY_FULL = """
import http.client, json, sys, time
sys.path.insert(0, sys.argv[1])
from cloudml_magic.errors import CloudMLError
from cloudml_magic.local_platform.lifecycle import ensure_running, stop
from cloudml_magic.places import PlatformPlaces
def send(verb, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=20)
    connection.request(verb, path, body, {"Authorization": f"Bearer {address.token}"})
    return json.loads(connection.getresponse().read())
address = ensure_running()
name = send("POST", "/v1/projects/local/locations/us-central1/customJobs", sys.argv[2].encode())["name"]
deadline = time.monotonic() + 20
while not list(PlatformPlaces.of_this_user().jobs.glob("*/*/exit.json")) and time.monotonic() < deadline:
    time.sleep(0.05)
time.sleep(0.5)
told = [send("GET", f"/v1/{name}")["state"]]
if sys.argv[3] == "restart":
    stop()
    began = time.monotonic()
    try:
        ensure_running()
    except CloudMLError as problem:
        told.append([problem.reference, time.monotonic() - began < 20])
(PlatformPlaces.of_this_user().buckets / "bucket/jobs/one/model/big").unlink()
address = ensure_running()
deadline = time.monotonic() + 10
while send("GET", f"/v1/{name}")["state"] == "JOB_STATE_RUNNING" and time.monotonic() < deadline:
    time.sleep(0.05)
told.append(send("GET", f"/v1/{name}")["state"])
stop()
print(json.dumps(told))
"""


@pytest.mark.skipif(not shutil.which("unshare"), reason="needs unshare")
@pytest.mark.parametrize("restart", [False, True])
def test_a_job_that_filled_the_disk_ends_once_there_is_room(tmp_path: Path, restart: bool) -> None:
    """Its end is recorded when space is freed; a platform that is started before says that the disk is full."""
    mount = f"mount -t tmpfs -o size=3m tmpfs {tmp_path}"
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*command, mount], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount in a user namespace")
    body = json.dumps(container("python3", "-c", FILL))
    run = f'{mount} && exec env -i HOME={tmp_path} CLOUDML_PLATFORM_SPARE=no {sys.executable} -B -c "$@"'
    arguments = ["sh", REALLY_FULL, str(ROOT), body, "restart" if restart else "go on"]
    done = subprocess.run([*command, run, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    refused = [["platform-disk-full", True]] if restart else []
    assert json.loads(done.stdout) == ["JOB_STATE_RUNNING", *refused, "JOB_STATE_SUCCEEDED"]
