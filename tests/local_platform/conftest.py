"""A platform on a real socket, in threads of the test, with a small runner that only moves states."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.local_platform.platform import LocalPlatform
from cloudml_magic.local_platform.resources.jobs import JobResources
from cloudml_magic.local_platform.server import PlatformServer, listen_on
from cloudml_magic.places import PlatformPlaces
from cloudml_magic.states import JobState

TOKEN = "t" * 43


class StateRunner:
    """Moves jobs as the test says; runs nothing."""

    def __init__(self, resources: JobResources) -> None:
        self.resources = resources
        self.submitted: list[str] = []

    def check(self, body: Mapping[str, Any]) -> None: ...

    def submit(self, job_id: str) -> None:
        self.submitted.append(job_id)

    def cancel(self, job_id: str) -> None:
        self.resources.update_job(job_id, state=JobState.CANCELLED, ended=time.time(), error=(1, "Cancelled."))

    def delete_files(self, job_id: str, body: Mapping[str, Any]) -> None: ...

    def position(self, job_id: str) -> int | None:
        return None

    def start(self) -> None: ...

    def close(self) -> None: ...

    def run(self, job_id: str) -> None:
        self.resources.update_job(job_id, state=JobState.PREPARING)
        self.resources.update_job(job_id, state=JobState.RUNNING, started=time.time())

    def finish(self, job_id: str, state: JobState = JobState.SUCCEEDED) -> None:
        self.resources.update_job(job_id, state=state, ended=time.time())


@dataclass
class Served:
    """A running platform and how to reach it."""

    platform: LocalPlatform
    runner: StateRunner
    places: PlatformPlaces
    port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(
        self, verb: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """One request with the token; JSON unless the body is bytes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection.request(verb, path, content, {"Authorization": f"Bearer {TOKEN}", **(headers or {})})
        answer = connection.getresponse()
        result = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        connection.close()
        return result

    def ask(self, verb: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """The JSON of one request that must succeed."""
        status, _, content = self.send(verb, path, body, headers)
        assert status < 300, content
        return json.loads(content) if content else None

    def refused(self, verb: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """The error of one request that must not succeed."""
        status, _, content = self.send(verb, path, body, headers)
        assert status >= 400, content
        error = json.loads(content)["error"]
        assert error["code"] == status
        return error


def places_in(folder: Path) -> PlatformPlaces:
    return PlatformPlaces(state=folder / "state", data=folder / "data", cache=folder / "cache")


@pytest.fixture
def places(tmp_path: Path) -> PlatformPlaces:
    return places_in(tmp_path)


@contextmanager
def answering(platform: LocalPlatform) -> Iterator[int]:
    """The port at which a platform answers, in threads of the test, until the block ends."""
    listening = listen_on(0)
    server = PlatformServer(platform, TOKEN, listening)
    ready = threading.Event()

    def start() -> None:
        platform.start()
        ready.set()

    thread = threading.Thread(target=server.run, args=(start, lambda: None))
    thread.start()
    assert ready.wait(30)
    try:
        yield listening.getsockname()[1]
    finally:
        server.stop()
        thread.join(30)
        assert not thread.is_alive()
        platform.close()


@pytest.fixture
def served(places: PlatformPlaces) -> Iterator[Served]:
    platform = LocalPlatform(places, StateRunner)
    with answering(platform) as port:
        assert isinstance(platform.runner, StateRunner)
        yield Served(platform, platform.runner, places, port)


JOB = {
    "displayName": "flowers",
    "jobSpec": {
        "workerPoolSpecs": [
            {
                "machineSpec": {"machineType": "n1-standard-4"},
                "replicaCount": "1",
                "containerSpec": {"imageUri": "tensorflow/tensorflow:2.21.0", "command": ["python3"], "args": ["-V"]},
            }
        ],
        "baseOutputDirectory": {"outputUriPrefix": "gs://cloudml-local/jobs/flowers-1"},
    },
    "labels": {"cloudml-token": "t1"},
}
JOBS = "/v1/projects/local/locations/us-central1/customJobs"
