"""A user's folders and files in a job: ordinary paths for every library, in place and staged, and sent once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from real_notebook import Notebook

pytestmark = pytest.mark.slow

MAKING = """
import os
from pathlib import Path
import numpy as np
import pandas as pd
from PIL import Image

for index in range(12):
    name = ("cat", "dog")[index % 2]
    Path("Train", name).mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (16, 16), (20 * index, 0, 0)).save(f"Train/{name}/{index} a.png")
pd.DataFrame({"a": [1, 2]}).to_csv("rows.csv", index=False)
np.savez("arrays.npz", x=np.arange(5))
models = Path(os.environ["HOME"], ".keras/models")
models.mkdir(parents=True, exist_ok=True)
(models / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5").write_bytes(b"weights")
"""
READING = """
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from pathlib import Path

dataset = keras.utils.image_dataset_from_directory("Train", image_size=(16, 16), batch_size=4, verbose=0)
print("classes", dataset.class_names, sum(len(labels) for _, labels in dataset))
files = tf.data.Dataset.list_files("Train/*/*.png")
print("files", sum(1 for content in files.map(tf.io.read_file) if tf.strings.length(content) > 0))
print("rows", pd.read_csv("rows.csv").a.sum(), np.load("arrays.npz")["x"].sum())
print("link", next(Path("Train/cat").iterdir()).stat().st_nlink > 1)
def never():
    return keras.applications.VGG16(include_top=False)
keep = never
"""
LINE = "%%ml_train {} --data Train --data rows.csv --data arrays.npz --wait {}\n"


@pytest.mark.parametrize(("name", "stage", "is_link"), [("reads", "", "True"), ("stages", "--stage", "False")])
def test_every_library_reads_the_data(kernel: Notebook, name: str, stage: str, is_link: str) -> None:
    """Keras's folder loader, tf.data, pandas and NumPy, by the paths that the notebook itself uses."""
    assert not kernel.run(MAKING).error
    outcome = kernel.run(LINE.format(name, stage) + READING)
    assert not outcome.error, outcome.error
    log = kernel.run(f"%ml_logs {name}").printed
    assert "classes ['cat', 'dog'] 12\nfiles 12\nrows 3 10\n" in log
    assert f"link {is_link}" in log
    assert ("Staged Train: 12 files" in log) == bool(stage)


def test_weights_of_the_cache_travel_once(kernel: Notebook, user: Path) -> None:
    """Both jobs were told of the same file; the bucket has it once."""
    buckets = user / ".local/share/cloudml-magic/buckets"
    (weights,) = buckets.rglob("vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5")
    assert weights.read_bytes() == b"weights"
    manifests = [json.loads(file.read_text()) for file in buckets.rglob("jobs/*/manifest.json")]
    told = [one["data"] for one in manifests if one["name"] in ("reads", "stages")]
    address = f"gs://{weights.relative_to(buckets).as_posix()}"
    assert len(told) == 2 and all(address in data for data in told)
