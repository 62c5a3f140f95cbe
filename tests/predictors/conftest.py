"""A platform on a real socket whose models are served by real serving processes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.local_platform.platform import LocalPlatform
from cloudml_magic.local_platform.settings import PlatformSettings
from cloudml_magic.places import PlatformPlaces
from tests.local_platform.conftest import Served, StateRunner, answering, places_in

MODELS = "/v1/projects/local/locations/us-central1/models"
ENDPOINTS = "/v1/projects/local/locations/us-central1/endpoints"
IMAGE = "us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-15:latest"
_EXPORT = """
import sys, keras, numpy as np
for factor, folder in zip(sys.argv[1::2], sys.argv[2::2]):
    model = keras.Sequential([keras.Input((2,), name="x"), keras.layers.Dense(1, use_bias=False)])
    model.layers[0].set_weights([np.full((2, 1), float(factor), "float32")])
    model.export(folder, verbose=False)
"""


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """SavedModels of one shape by a factor: each adds two numbers up and multiplies the sum."""
    folder = tmp_path_factory.mktemp("exported")
    models = {factor: folder / str(factor) for factor in (0, 1, 2)}
    arguments = [str(part) for pair in models.items() for part in pair]
    subprocess.run([sys.executable, "-c", _EXPORT, *arguments], check=True, capture_output=True)
    return models


@dataclass
class Serving(Served):
    """A platform that serves; deploys in a line."""

    exported: dict[int, Path] = field(default_factory=dict)

    def put(self, name: str, factor: int = 1) -> str:
        """The address of a model's copy in the bucket."""
        shutil.copytree(self.exported[factor], self.places.buckets / "cloudml-local" / name)
        return f"gs://cloudml-local/{name}"

    def done(self, operation: Any) -> Any:
        """The operation when it is done."""
        while not operation.get("done"):
            operation = self.ask("POST", f"/v1/{operation['name']}:wait?timeout=5s")
        return operation

    def result(self, operation: Any) -> Any:
        """What an operation that must succeed answered."""
        finished = self.done(operation)
        assert "error" not in finished, finished
        return finished["response"]

    def upload(self, uri: str, **request: Any) -> str:
        """The name of a model's new version, as `…/models/M@1`."""
        model = {"displayName": "sums", "artifactUri": uri, "containerSpec": {"imageUri": IMAGE}}
        model |= request.pop("model", {})
        answer = self.result(self.ask("POST", f"{MODELS}:upload", {"model": model, **request}))
        return f"{answer['model']}@{answer['modelVersionId']}"

    def create_endpoint(self, **fields: Any) -> str:
        operation = self.ask("POST", ENDPOINTS, {"displayName": "sums", **fields})
        return str(self.result(operation)["name"])

    def begin_deploy(self, endpoint: str, version: str, id: str, traffic: dict[str, int] | None = None) -> Any:
        body = {
            "deployedModel": {"id": id, "model": version, "dedicatedResources": resources()},
            "trafficSplit": {"0": 100} if traffic is None else traffic,
        }
        return self.ask("POST", f"/v1/{endpoint}:deployModel", body)

    def deploy(self, endpoint: str, version: str, id: str, traffic: dict[str, int] | None = None) -> Any:
        return self.result(self.begin_deploy(endpoint, version, id, traffic))["deployedModel"]

    def undeploy(self, endpoint: str, id: str, traffic: dict[str, int] | None = None) -> None:
        body = {"deployedModelId": id, "trafficSplit": traffic or {}}
        self.result(self.ask("POST", f"/v1/{endpoint}:undeployModel", body))

    def deployed(self, factor: int = 1, name: str = "sums") -> str:
        """An endpoint that serves a model."""
        endpoint = self.create_endpoint()
        self.deploy(endpoint, self.upload(self.put(name, factor)), "1")
        return endpoint

    def predict(self, endpoint: str, rows: Any, **headers: str) -> Any:
        return self.ask("POST", f"/v1/{endpoint}:predict", {"instances": rows}, headers)

    def pid(self, id: str = "1") -> int:
        """The process that serves a deployed model."""
        for predictor in self.platform.deployments._predictors.values():
            if predictor.deployment.id == id and predictor._process is not None:
                return predictor._process.pid
        raise LookupError(id)


def resources() -> dict[str, Any]:
    return {"machineSpec": {"machineType": "n1-standard-2"}, "minReplicaCount": 1, "maxReplicaCount": 1}


Start = Callable[..., Any]


@contextmanager
def running(places: PlatformPlaces, exported: dict[int, Path], settings: PlatformSettings) -> Iterator[Serving]:
    """A platform of these places, until the block ends."""
    platform = LocalPlatform(places, StateRunner, settings=settings)
    with answering(platform) as port:
        assert isinstance(platform.runner, StateRunner)
        yield Serving(platform, platform.runner, places, port, exported)


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Converted models, which all tests share: conversion takes seconds."""
    return tmp_path_factory.mktemp("engines")


@pytest.fixture
def serving_places(tmp_path: Path, engines: Path) -> PlatformPlaces:
    places = places_in(tmp_path)
    places.cache.mkdir(parents=True)
    places.engines.symlink_to(engines)
    return places


@pytest.fixture
def serving(serving_places: PlatformPlaces, exported: dict[int, Path]) -> Iterator[Serving]:
    with running(serving_places, exported, PlatformSettings()) as platform:
        yield platform


def message(answer: tuple[int, dict[str, str], bytes]) -> str:
    """The message of a refused request."""
    return str(json.loads(answer[2])["error"]["message"])
