"""Other people's clients at a platform that runs jobs and serves models as real processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.batch.platform import Running, running
from tests.local_platform.conftest import TOKEN, places_in


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One platform for the flows of a module, as a user has one."""
    with running(places_in(tmp_path_factory.mktemp("platform"))) as found:
        yield found


@pytest.fixture
def vertex(platform: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Google's Vertex SDK, unmodified but for its address, its credentials and how long it sleeps between polls."""
    from google.cloud import aiplatform
    from google.cloud.aiplatform import jobs, training_jobs
    from google.oauth2.credentials import Credentials

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", platform.endpoint)
    for module in (jobs, training_jobs):
        monkeypatch.setattr(module, "_JOB_WAIT_TIME", 0.1)
    aiplatform.init(
        project="local", location="us-central1", staging_bucket="gs://cloudml-local", api_endpoint=platform.endpoint,
        api_transport="rest", credentials=Credentials(token=TOKEN),
    )  # fmt: skip
    yield aiplatform
    aiplatform.initializer.global_config._project = None


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trainer of the user's own, as an sdist by setuptools: it trains a sum, and exports it where Vertex says."""
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("package")
    (folder / "trainer").mkdir()
    (folder / "trainer" / "__init__.py").write_text("")
    (folder / "trainer" / "task.py").write_text(_TRAINER)
    (folder / "setup.py").write_text(
        "from setuptools import setup\nsetup(name='trainer', version='0.1', packages=['trainer'])\n"
    )
    subprocess.run([sys.executable, "setup.py", "-q", "sdist"], cwd=folder, check=True, capture_output=True)
    return next((folder / "dist").glob("*.tar.gz"))


_TRAINER = """
import argparse, os
import keras, numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int)
epochs = parser.parse_args().epochs
x = np.random.default_rng(1).random((256, 2)).astype("float32")
model = keras.Sequential([keras.Input((2,), name="x"), keras.layers.Dense(1, use_bias=False)])
model.compile(keras.optimizers.Adam(0.1), "mse")
model.fit(x, x.sum(1), epochs=epochs, verbose=2)
model.export(os.environ["AIP_MODEL_DIR"], verbose=False)
"""
