"""A job runner with real processes, in a home of its own; jobs are kept in memory."""

from __future__ import annotations

import itertools
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.local_platform.jobs.runner import JobRunner
from cloudml_magic.local_platform.settings import PlatformSettings
from cloudml_magic.places import PlatformPlaces
from cloudml_magic.records import JobKind
from cloudml_magic.states import JobState, may_follow

IMAGE = "tensorflow/tensorflow:latest"


@dataclass(frozen=True)
class MemoryJob:
    id: str
    body: Mapping[str, Any]
    state: JobState = JobState.QUEUED
    note: str | None = None
    started: float | None = None
    ended: float | None = None
    error: tuple[int, str] | None = None
    kind: JobKind = JobKind.TRAINING
    model: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class MemoryStore:
    """Jobs in memory, with the transitions that the real store allows."""

    all: dict[str, MemoryJob] = field(default_factory=dict)
    passed: dict[str, list[JobState]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def add(self, body: Mapping[str, Any], state: JobState = JobState.QUEUED) -> str:
        id = str(next(self.numbers))
        self.all[id] = MemoryJob(id, body, state)
        self.passed[id] = [state]
        return id

    def jobs_in(self, states: Collection[JobState]) -> list[MemoryJob]:
        return [job for job in self.all.values() if job.state in states]

    def job(self, id: str) -> MemoryJob | None:
        return self.all.get(id)

    def update_job(self, id: str, **changes: Any) -> None:
        before = self.all[id]
        after = replace(before, **{name: value for name, value in changes.items() if value is not None})
        if after.state != before.state:
            assert may_follow(before.state, after.state), (before.state, after.state)
            self.passed[id].append(after.state)
        self.all[id] = after


@dataclass
class Bench:
    """What a test of jobs works with."""

    places: PlatformPlaces
    store: MemoryStore
    settings: PlatformSettings
    grace_seconds: float = 1.0
    runner: JobRunner = field(init=False)

    def __post_init__(self) -> None:
        self.runner = self.new_runner()

    @property
    def buckets(self) -> Path:
        return self.places.buckets

    def new_runner(self) -> JobRunner:
        return JobRunner(self.places, self.store, self.buckets, self.settings, grace_seconds=self.grace_seconds)

    def submit(self, body: Mapping[str, Any]) -> str:
        self.runner.check(body)
        id = self.store.add(body)
        self.runner.submit(id)
        return id

    def run(self, body: Mapping[str, Any], seconds: float = 60) -> MemoryJob:
        return self.wait(self.submit(body), seconds=seconds)

    def wait(self, id: str, *states: JobState, seconds: float = 60) -> MemoryJob:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            job = self.store.all[id]
            if job.state in states or (not states and job.state.is_final):
                return job
            time.sleep(0.005)
        raise AssertionError(f"{self.store.all[id]} did not get there; its log: {self.log(id)}")

    def replica(self, id: str, name: str = "workerpool0-0") -> Path:
        return self.places.jobs / id / name

    def log(self, id: str, name: str = "workerpool0-0") -> str:
        file = self.replica(id, name) / "output.log"
        return file.read_bytes().decode("utf-8", "replace") if file.exists() else ""

    def wait_for_log(self, id: str, text: str) -> None:
        deadline = time.monotonic() + 30
        while text not in self.log(id):
            assert time.monotonic() < deadline, self.log(id)
            time.sleep(0.005)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A started runner without a warm spare, two jobs at once."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    places = PlatformPlaces.of_this_user()
    (places.buckets / "bucket").mkdir(parents=True)
    found = Bench(places, MemoryStore(), PlatformSettings(cpu_jobs=2, spare=False))
    found.runner.start()
    yield found
    for id in found.store.all:
        found.runner.cancel(id)
    for id in found.store.all:
        found.wait(id)
    found.runner.close()


def container(*command: str, env: Mapping[str, str] | None = None, timeout: str = "", **more: Any) -> dict[str, Any]:
    """A CustomJob of one replica that runs a command."""
    spec: dict[str, Any] = {
        "workerPoolSpecs": [
            {
                "machineSpec": {"machineType": "n1-standard-4", **more},
                "replicaCount": 1,
                "containerSpec": {
                    "imageUri": IMAGE,
                    "command": list(command[:1]),
                    "args": list(command[1:]),
                    "env": [{"name": name, "value": value} for name, value in (env or {}).items()],
                },
            }
        ],
        "baseOutputDirectory": {"outputUriPrefix": "gs://bucket/jobs/one"},
    }
    if timeout:
        spec["scheduling"] = {"timeout": timeout}
    return {"displayName": "one", "jobSpec": spec}
