"""The API before Vertex AI, from training to deletion, by the same magics."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from real_notebook import Notebook

pytestmark = pytest.mark.slow

TRAINING = """%%ml_train corners
import keras
import numpy as np
x = np.eye(4, dtype="float32").repeat(20, axis=0)
y = np.arange(4).repeat(20)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, activation="softmax")])
model.compile(keras.optimizers.Adam(0.1), "sparse_categorical_crossentropy")
model.fit(x, y, epochs=20, verbose=0)
"""
AGAIN = """from cloudml_magic import deploy, job
model = job("corners").model()
deploy(model, as_="corners")
"""
BATCH = """from cloudml_magic import batch_predict
[list(row.values()) for row in batch_predict("corners", np.eye(4)).results().to_dict("records")]
"""


@pytest.fixture(scope="module")
def old(kernel: Notebook) -> Iterator[Notebook]:
    """A notebook that speaks the old API."""
    assert not kernel.run("import numpy as np\n%ml_init --dialect ml-v1").error
    yield kernel
    kernel.run("%ml_init --dialect aiplatform-v1")


def well(old: Notebook, cell: str) -> str:
    outcome = old.run(cell)
    assert not outcome.error, outcome.error
    return outcome.text


def test_a_model_is_trained_deployed_asked_and_deleted(old: Notebook) -> None:
    """A version answers as long as it exists; the last one that was deployed is the default, each has its number."""
    well(old, TRAINING)
    assert "corners/1" in well(old, "%ml_deploy corners")
    well(old, "%%ml_predict corners --into answer\n[[0, 0, 1, 0]]")
    assert "[2]" in well(old, "np.argmax(answer, axis=1).tolist()")
    well(old, AGAIN)
    listed = well(old, "%ml_models corners")
    assert "corners/1" in listed
    assert "corners/2" in listed
    well(old, "%%ml_predict corners/1\n[[1, 0, 0, 0]]")
    assert "[old-api-always-deployed]" in old.run("%ml_undeploy corners").error
    assert "[old-api-traffic]" in old.run("%ml_deploy corners --as corners --traffic 20").error
    well(old, BATCH)
    well(old, "%ml_delete corners --yes")
    assert "There is no model 'corners'" in old.run("%ml_models corners").error
