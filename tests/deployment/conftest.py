"""A platform of the test's own, and models that it serves without TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cloudml_magic.connection import Connection
from cloudml_magic.errors import CloudMLError
from cloudml_magic.local_platform import lifecycle
from cloudml_magic.local_platform.artifacts import digest_of, pin
from cloudml_magic.pipeline.session import connection
from cloudml_magic.places import PlatformPlaces
from cloudml_magic.records import ModelVersion, VersionSpec
from cloudml_magic.version import VERSION
from tests.batch.conftest import write_doubler, write_doubling_engine

BUCKET = "gs://cloudml-local"
IMAGE = "us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-15:latest"


@dataclass
class Platform:
    """The platform of one HOME."""

    places: PlatformPlaces

    @property
    def connection(self) -> Connection:
        return connection()

    def path(self, name: str) -> Path:
        return self.places.buckets / "cloudml-local" / name

    def model(self, name: str) -> str:
        """The address of a model that doubles; its engine is certified already."""
        folder = self.path(name)
        write_doubler(folder)
        self.certify(name)
        return f"{BUCKET}/{name}"

    def certify(self, name: str) -> None:
        """Gives the model as it is now the engine that stands in for TensorFlow."""
        digest = digest_of(pin(self.path(name), name))
        write_doubling_engine(self.path(name), self.places.engines / f"{VERSION}-{digest}")

    def upload(self, address: str, name: str) -> ModelVersion:
        """A version that is not deployed."""
        return self.connection.client.models.upload(VersionSpec(name, address, IMAGE))

    def titles(self) -> list[str]:
        """Every version that there is."""
        models = self.connection.client.models
        return sorted(version.title for model in models.models() for version in models.versions(model.model_resource))


@pytest.fixture
def platform(home: Path) -> Iterator[Platform]:
    """Started by the first that asks it."""
    yield Platform(PlatformPlaces.of_this_user())
    lifecycle.stop()


def told(error: CloudMLError) -> tuple[str, str, str]:
    """What an error says."""
    return error.what, error.why, error.next
