"""Serving in the cloud: TensorFlow Serving's public image through the project's own registry, from a numbered folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloudml_magic import batch_predict, deploy, pipeline, predict
from cloudml_magic.dialects.aiplatform_v1 import API
from cloudml_magic.dialects.aiplatform_v1.models import get_model
from cloudml_magic.errors import CloudMLError
from cloudml_magic.local_platform.artifacts import digest_of, pin
from cloudml_magic.pipeline import delete_model, removal_of
from cloudml_magic.pipeline.deployment.artifact import ExportOptions, artifact_of
from cloudml_magic.pipeline.session import CURRENT, connection
from cloudml_magic.places import PlatformPlaces
from cloudml_magic.version import VERSION
from tests.batch.conftest import write_doubler, write_doubling_engine
from tests.cloud.conftest import Cloud
from tests.cloud.google import RefusalError

REPOSITORY = "artifactregistry.projects.locations.repositories.get"
MIRROR = "us-central1-docker.pkg.dev/local/cloudml-docker-hub/tensorflow/serving:"


@pytest.fixture
def model(google_cloud: Cloud) -> Iterator[Path]:
    """The folder of an export in the bucket, certified for an engine that needs no TensorFlow."""
    google_cloud.google.answer(REPOSITORY, {"format": "DOCKER", "mode": "REMOTE_REPOSITORY"})
    places = PlatformPlaces.of_this_user()
    folder = places.buckets / "cloudml-local" / "exported"
    if not folder.exists():
        write_doubler(folder)
        (folder / "model.keras").write_bytes(b"not served")
        write_doubling_engine(folder, places.engines / f"{VERSION}-{digest_of(pin(folder, 'exported'))}")
    yield folder
    pipeline.undeploy("doubler")
    delete_model(removal_of("doubler"))


def test_a_model_is_served_as_tensorflow_serving_wants_it(model: Path, google_cloud: Cloud) -> None:
    """Copied inside the bucket to a folder called 1, uploaded as the folder that holds it, by the mirrored image."""
    deployment = deploy("gs://cloudml-local/exported", as_="doubler")
    assert deployment.version.image.startswith(MIRROR)
    folder = Path(*Path(deployment.version.artifact_uri.removeprefix("gs://")).parts[1:])
    assert folder.parts[:2] == ("models", "served")
    assert folder.name == "1"
    copied = model.parent / folder
    assert (copied / "saved_model.pb").read_bytes() == (model / "saved_model.pb").read_bytes()
    assert not (copied / "model.keras").exists()
    body = connection().caller(API).perform(get_model(deployment.version.model_resource))
    assert body["artifactUri"] == f"gs://cloudml-local/{folder.parent}"
    assert body["containerSpec"]["command"] == ["/usr/bin/tensorflow_model_server"]
    assert "--model_base_path=$(AIP_STORAGE_URI)" in body["containerSpec"]["args"]
    assert predict("doubler", [[1.0, 2.0]]).values == [[2.0, 4.0]]
    assert deploy("gs://cloudml-local/exported", as_="doubler").was_there


@pytest.mark.parametrize(
    "send",
    [
        lambda: deploy("gs://cloudml-local/exported", as_="doubler"),
        lambda: batch_predict("doubler", "gs://cloudml-local/x"),
    ],
)
def test_another_projects_bucket_gets_no_model_and_no_instances(
    google_cloud: Cloud, send: Callable[[], object]
) -> None:
    """Whoever owns it could read them, and serve something else."""
    google_cloud.google.answer("cloudresourcemanager.projects.get", {"name": "projects/2", "state": "ACTIVE"})
    with pytest.raises(CloudMLError, match="gs://cloudml-local does not belong to project local"):
        send()


@pytest.mark.slow
def test_a_variable_is_exported_to_where_it_is_deployed(google_cloud: Cloud) -> None:
    """Also where jobs go elsewhere now."""
    import keras

    cloud = connection()
    CURRENT.set({"target": "local"})
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    artifact_of(model, cloud, ExportOptions(), lambda job: None, lambda stage: None)
    assert any(path.startswith("/upload/storage/") for _, path in google_cloud.proxy.requests)


def test_without_the_mirror_the_way_to_it_is_said(google_cloud: Cloud) -> None:
    """Before a version is made; an image of one's own needs none."""

    def missing(*_: object) -> dict[str, str]:
        raise RefusalError(404, "Requested entity was not found.", "NOT_FOUND")

    google_cloud.google.answer(REPOSITORY, missing)
    places = PlatformPlaces.of_this_user()
    write_doubler(places.buckets / "cloudml-local" / "other")
    with pytest.raises(CloudMLError) as caught:
        deploy("gs://cloudml-local/other", as_="other")
    assert str(caught.value) == (
        "The project local has no repository cloudml-docker-hub for images in us-central1.\n"
        "  Why:  Vertex AI pulls images from Artifact Registry.\n"
        "  Next: `%ml_image setup` makes it, once; an empty one costs nothing.\n[no-repository]"
    )
    assert list(connection().client.models.models("other")) == []
