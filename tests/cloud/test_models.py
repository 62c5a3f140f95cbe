"""From training to a batch in the cloud: the magics' twins unchanged, one word away from this machine."""

from __future__ import annotations

import numpy as np
import pytest

from cloudml_magic import pipeline
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Target
from tests.cloud.conftest import Cloud
from tests.cloud.google import RefusalError

pytestmark = pytest.mark.slow

TRAINING = """
import keras
import numpy as np
x = np.eye(4, dtype="float32").repeat(20, axis=0)
y = np.arange(4).repeat(20)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, activation="softmax")])
model.compile(keras.optimizers.Adam(0.1), "sparse_categorical_crossentropy")
model.fit(x, y, epochs=20, verbose=0)
"""


def test_a_model_is_trained_deployed_asked_in_batches_and_deleted(google_cloud: Cloud) -> None:
    """Its serving image comes through the project's own registry, which has to be made once."""
    google = google_cloud.google
    job = pipeline.train(TRAINING, name="corners")
    job.wait()
    assert job.target is Target.CLOUD
    assert job.model().count_params() == 20

    def missing(*_: object) -> dict[str, object]:
        raise RefusalError(404, "Repository not found.", "NOT_FOUND")

    google.answer("artifactregistry.projects.locations.repositories.get", missing)
    with pytest.raises(CloudMLError) as caught:
        pipeline.deploy("corners")
    assert caught.value.reference == "no-repository"
    google.answer("artifactregistry.projects.locations.repositories.get", {"name": "there"})
    deployment = pipeline.deploy("corners")
    assert deployment.version.image.startswith(
        "us-central1-docker.pkg.dev/local/cloudml-docker-hub/tensorflow/serving:"
    )
    answered = pipeline.predict("corners", np.eye(4))
    assert np.argmax(answered.values, axis=1).tolist() == [0, 1, 2, 3]
    batch = pipeline.batch_predict("corners", np.eye(4))
    assert len(batch.results()) == 4
    assert [line.deployed is not None for line in pipeline.model_lines()] == [True]
    pipeline.undeploy("corners")
    pipeline.delete_model(pipeline.removal_of("corners"))
    pipeline.delete([batch, job])
    assert pipeline.model_lines() == []
