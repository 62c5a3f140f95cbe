"""The older API over a real socket: a platform that runs jobs as real processes, and googleapiclient's `ml` v1."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudml_magic.discovery import document, violations
from cloudml_magic.local_platform.artifacts import engine_folder, pin
from cloudml_magic.local_platform.jobs.runner import JobRunner
from cloudml_magic.local_platform.platform import LocalPlatform
from cloudml_magic.local_platform.settings import PlatformSettings
from cloudml_magic.places import PlatformPlaces
from tests.batch.conftest import write_engine
from tests.jobs.test_packages import sdist
from tests.local_platform.conftest import TOKEN, Served, answering, places_in
from tests.local_platform.saved_models import write_model

PROJECT = "projects/tutorial"
JOBS = f"/v1/{PROJECT}/jobs"
MODELS = f"/v1/{PROJECT}/models"
_FINAL = ("SUCCEEDED", "FAILED", "CANCELLED")


@dataclass
class Running(Served):
    """Runs jobs of the older API in a line."""

    def put(self, name: str, content: bytes) -> str:
        """The address of a new object in the platform's own bucket."""
        path = self.places.buckets / "cloudml-local" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return f"gs://cloudml-local/{name}"

    def package(self, code: str, name: str = "trainer-1.tar.gz") -> str:
        """The address of a package whose module `trainer.task` is this code."""
        return self.put(name, sdist("trainer", {"trainer/__init__.py": "", "trainer/task.py": code}))

    def training(self, id: str, code: str = "print('done')", **fields: Any) -> dict[str, Any]:
        """A training job as the tutorials send it."""
        given = {
            "scaleTier": "BASIC",
            "packageUris": [self.package(code, f"{id}.tar.gz")],
            "pythonModule": "trainer.task",
            "region": "us-central1",
            "runtimeVersion": "1.13",
        }
        return {"jobId": id, "trainingInput": {**given, **fields}}

    def job(self, id: str) -> Any:
        return self.ask("GET", f"{JOBS}/{id}")

    def wait(self, id: str, *states: str, seconds: float = 60) -> Any:
        deadline = time.monotonic() + seconds
        while (job := self.job(id))["state"] not in (states or _FINAL):
            assert time.monotonic() < deadline, job
            time.sleep(0.01)
        return job

    def log(self, id: str, replica: str = "workerpool0-0") -> str:
        file = self.places.jobs / id / replica / "output.log"
        return file.read_text("utf-8") if file.exists() else ""

    def model(self, name: str, factor: int = 2) -> str:
        """The address of a SavedModel that multiplies `inputs`, two numbers, into `outputs`; it needs no TensorFlow."""
        folder = self.places.buckets / "cloudml-local" / name
        write_multiplier(folder, factor)
        address = f"gs://cloudml-local/{name}/"
        write_multiplying_engine(folder, engine_folder(self.places.engines, pin(folder, address)), factor)
        return address

    def done(self, operation: Any, seconds: float = 60) -> Any:
        """The operation when it is done."""
        deadline = time.monotonic() + seconds
        while not operation.get("done"):
            assert time.monotonic() < deadline, operation
            operation = self.ask("GET", f"/v1/{operation['name']}")
        return operation

    def create_version(self, model: str, name: str, uri: str, **fields: Any) -> Any:
        """A version that serves, of a model that is made if it is not there."""
        if self.send("GET", f"{MODELS}/{model}")[0] == 404:
            self.ask("POST", MODELS, {"name": model})
        body = {"name": name, "deploymentUri": uri, "runtimeVersion": "1.13", **fields}
        operation = self.done(self.ask("POST", f"{MODELS}/{model}/versions", body))
        assert "error" not in operation, operation
        return operation["response"]

    def run(self, id: str, code: str, **fields: Any) -> Any:
        """A training job that has ended."""
        self.ask("POST", JOBS, self.training(id, code, **fields))
        return self.wait(id)


def write_multiplier(folder: Path, factor: int) -> None:
    write_model(folder, manifest=True)
    (folder / "variables" / "variables.data-00000-of-00001").write_bytes(bytes([factor]) * 100)
    document = json.loads((folder / "cloudml.json").read_bytes())
    tensors = {"dtype": "float32", "shape": [None, 2]}
    document["signatures"] = {"serving_default": {"inputs": {"inputs": tensors}, "outputs": {"outputs": tensors}}}
    names = document["files"]
    document["files"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    (folder / "cloudml.json").write_text(json.dumps(document))


def write_multiplying_engine(folder: Path, engine: Path, factor: int) -> None:
    from onnx import TensorProto, helper, numpy_helper

    write_engine(
        folder, engine,
        {"nodes": [helper.make_node("Mul", ["inputs", "factor"], ["product"])],
         "initializer": [numpy_helper.from_array(np.array([factor], np.float32), "factor")]},
        [helper.make_tensor_value_info("inputs", TensorProto.FLOAT, ["n", 2])],
        {"outputs": helper.make_tensor_value_info("product", TensorProto.FLOAT, ["n", 2])},
    )  # fmt: skip


@contextmanager
def running(places: PlatformPlaces, settings: PlatformSettings | None = None) -> Iterator[Running]:
    """A platform of these places, until the block ends."""
    settings = settings or PlatformSettings(cpu_jobs=2, spare=False)
    platform = LocalPlatform(
        places,
        lambda resources: JobRunner(places, resources, places.buckets, settings, grace_seconds=1.0),
        settings=settings,
    )
    with answering(platform) as port:
        found = Running(platform, platform.runner, places, port)  # type: ignore[arg-type]
        try:
            yield found
        finally:
            for job in found.ask("GET", f"{JOBS}?pageSize=100").get("jobs", []):
                if job["state"] not in _FINAL:
                    found.send("POST", f"{JOBS}/{job['jobId']}:cancel", {})
                    found.wait(job["jobId"])


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setenv("HOME", str(tmp_path))
    with running(places_in(tmp_path)) as found:
        yield found


def service_of(served: Served) -> Any:
    """What the tutorials call `ml`: googleapiclient's service, with the platform's address and token."""
    import google_auth_httplib2
    import httplib2
    from google.oauth2.credentials import Credentials
    from googleapiclient import discovery

    http = google_auth_httplib2.AuthorizedHttp(
        Credentials(token=TOKEN), http=httplib2.Http(timeout=30, proxy_info=None)
    )
    return discovery.build(
        "ml", "v1", static_discovery=True, client_options={"api_endpoint": served.endpoint}, http=http
    )


@pytest.fixture
def ml(served: Served) -> Any:
    """googleapiclient's service on a platform whose jobs only move states."""
    return service_of(served)


@pytest.fixture(scope="session")
def refusing_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """It is only sent what it refuses; it has one model, `m`, without versions."""
    with running(places_in(tmp_path_factory.mktemp("refusing"))) as found:
        found.ask("POST", MODELS, {"name": "m"})
        yield found


@pytest.fixture
def refusing(refusing_platform: Running) -> Any:
    """googleapiclient's service, with a connection of the test's own: the platform closes those that rest."""
    return service_of(refusing_platform)


def checked(schema: str, body: Any) -> Any:
    """An answer that its schema allows."""
    assert violations(document("ml.v1"), f"GoogleCloudMlV1__{schema}", body) == []
    return body


def refusal_of(error: Any) -> tuple[int, str, Any]:
    """What a client is told by googleapiclient's HttpError: status, text and details."""
    body = json.loads(error.content)["error"]
    return error.status_code, body["message"], body.get("details")


def details(field: str, description: str) -> list[dict[str, Any]]:
    return [
        {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": field, "description": description}],
        }
    ]
