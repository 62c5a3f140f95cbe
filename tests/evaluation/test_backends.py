"""A kernel whose Keras computes with JAX or PyTorch evaluates as one of TensorFlow's does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

KERNEL = """
import json
import sys
from pathlib import Path

import keras
import numpy as np
import pandas
from PIL import Image

from cloudml_magic.pipeline import evaluate

shades = {"blue": (0, 0, 250), "green": (0, 250, 0), "red": (250, 0, 0)}
for name, shade in shades.items():
    Path("Test", name).mkdir(parents=True)
    Image.new("RGB", (20, 10), shade).save(f"Test/{name}/1.png")
colour = keras.Sequential([
    keras.Input((8, 8, 3)), keras.layers.GlobalAveragePooling2D(),
    keras.layers.Dense(3, "softmax", use_bias=False, kernel_initializer="identity"),
])
chooser = keras.Sequential([
    keras.Input((2,)), keras.layers.Dense(2, "softmax", use_bias=False, kernel_initializer="identity"),
])
width, height = keras.Input((1,), name="width"), keras.Input((1,), name="height")
wider = keras.Model(
    {"width": width, "height": height}, keras.layers.Activation("sigmoid")(keras.layers.Subtract()([width, height]))
)
x = np.array([[0, 9], [9, 0], [9, 1], [0, 1]], "float32")
frame = pandas.DataFrame({"width": [1.0, 5.0], "height": [2.0, 2.0], "label": ["no", "yes"]})
names = ["red", "green", "blue"]
found = {
    "arrays": evaluate(chooser, (x, np.array([1, 0, 0, 0]))),
    "columns": evaluate(wider, frame, labels=["no", "yes"]),
    "pictures": evaluate(colour, "Test", labels=names, preprocess="1/255"),
    "own function": evaluate(colour, "Test", labels=names, preprocess=lambda pixels: keras.ops.divide(pixels, 25.0)),
    "Keras's function": evaluate(
        colour, "Test", labels=names[::-1], preprocess=keras.applications.vgg16.preprocess_input
    ),
}
print(json.dumps([keras.backend.backend(), {name: one.scores.accuracy for name, one in found.items()}]))
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_backends(backend: str, tmp_path: Path) -> None:
    """Arrays, columns and pictures, however the pictures are prepared."""
    environment = os.environ | {"KERAS_BACKEND": backend, "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", KERNEL], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == [
        backend,
        {"arrays": 0.75, "columns": 1.0, "pictures": 1.0, "own function": 1.0, "Keras's function": 1.0},
    ]
