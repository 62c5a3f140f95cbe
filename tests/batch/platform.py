"""A platform on a real socket that runs jobs as real processes, with a model that needs no TensorFlow."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.artifacts import engine_folder
from cloudml_magic.local_platform.jobs.runner import JobRunner
from cloudml_magic.local_platform.platform import LocalPlatform
from cloudml_magic.local_platform.settings import PlatformSettings
from cloudml_magic.places import PlatformPlaces
from tests.local_platform.conftest import Served, answering

from .conftest import write_doubler, write_doubling_engine

PARENT = "/v1/projects/local/locations/us-central1"
BATCHES = f"{PARENT}/batchPredictionJobs"
_IMAGE = "us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-15:latest"
_FINAL = ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED")


@dataclass
class Running(Served):
    """Sends batch predictions in a line."""

    model: str = field(default="")

    @property
    def bucket(self) -> Path:
        return self.places.buckets / "cloudml-local"

    def put(self, name: str, content: bytes) -> str:
        path = self.bucket / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return f"gs://cloudml-local/{name}"

    def upload(self) -> str:
        """The name of a version of the doubling model, certified for the fast engine."""
        folder = self.bucket / "doubler"
        if not folder.exists():
            write_doubler(folder)
        model = {"displayName": "doubler", "artifactUri": "gs://cloudml-local/doubler"}
        operation = self.ask(
            "POST", f"{PARENT}/models:upload", {"model": {**model, "containerSpec": {"imageUri": _IMAGE}}}
        )
        while not operation.get("done"):
            operation = self.ask("POST", f"/v1/{operation['name']}:wait?timeout=5s")
        name = str(operation["response"]["model"])
        pinned = self.platform._models.version("us-central1", name.rpartition("/")[2]).pinned
        if not engine_folder(self.places.engines, pinned).exists():
            write_doubling_engine(folder, engine_folder(self.places.engines, pinned))
        return f"{name}@1"

    def body(self, *uris: str, **fields: Any) -> dict[str, Any]:
        """A request, as clients send it."""
        body = {
            "displayName": "doubled",
            "model": self.model,
            "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": list(uris)}},
            "outputConfig": {
                "predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": "gs://cloudml-local/out"},
            },
            "manualBatchTuningParameters": {},
        }  # fmt: skip
        return {**body, **fields}

    def send_batch(self, *uris: str, **fields: Any) -> str:
        return str(self.ask("POST", BATCHES, self.body(*uris, **fields))["name"])

    def get(self, name: str) -> Any:
        return self.ask("GET", f"/v1/{name}")

    def wait(self, name: str, *states: str, seconds: float = 60) -> Any:
        deadline = time.monotonic() + seconds
        while (job := self.get(name))["state"] not in (states or _FINAL):
            assert time.monotonic() < deadline, job
            time.sleep(0.01)
        return job

    def wait_for_rows(self, name: str, count: int) -> int:
        """Waits until so many instances are confirmed; returns how many are."""
        deadline = time.monotonic() + 60
        while (done := rows_done(self.get(name))) < count:
            assert time.monotonic() < deadline, self.get(name)
            time.sleep(0.01)
        return done

    def folder(self, name: str) -> Path:
        """The job's own folder."""
        return self.places.jobs / name.rpartition("/")[2]

    def output(self, job: Any) -> Path:
        return self.places.buckets / job["outputInfo"]["gcsOutputDirectory"].removeprefix("gs://")

    def pid(self, name: str) -> int:
        """The supervisor of the job's process."""
        file = self.folder(name) / "workerpool0-0" / "process.json"
        deadline = time.monotonic() + 20
        while not file.exists():
            assert time.monotonic() < deadline
            time.sleep(0.005)
        return int(json.loads(file.read_bytes())["pid"])


def rows_done(job: Any) -> int:
    stats = job.get("completionStats", {})
    return int(stats.get("successfulCount", 0)) + int(stats.get("failedCount", 0))


@contextmanager
def running(places: PlatformPlaces) -> Iterator[Running]:
    """A platform of these places, until the block ends; its jobs run on."""
    settings = PlatformSettings(cpu_jobs=2, spare=False)
    platform = LocalPlatform(
        places, lambda resources: JobRunner(places, resources, places.buckets, settings), settings=settings
    )
    with answering(platform) as port:
        found = Running(platform, platform.runner, places, port)  # type: ignore[arg-type]
        found.model = found.upload()
        yield found


@contextmanager
def ending(places: PlatformPlaces) -> Iterator[Running]:
    """As `running`, with all jobs cancelled at the end."""
    with running(places) as found:
        try:
            yield found
        finally:
            jobs = found.ask("GET", BATCHES).get("batchPredictionJobs", [])
            for job in jobs:
                if job["state"] not in _FINAL:
                    found.ask("POST", f"/v1/{job['name']}:cancel", {})
                    found.wait(job["name"])
