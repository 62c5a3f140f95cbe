"""The models that serving is measured with, and the processes that serve them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SIDE = 224


def write_dense(folder: Path) -> None:
    """A classifier of 784 numbers."""
    import keras

    layers = keras.layers
    keras.utils.set_random_seed(1)
    model = keras.Sequential([layers.Input((784,)), layers.Dense(128, "relu"), layers.Dense(10, "softmax")])
    model.export(str(folder), verbose=False)


def write_mobilenet(folder: Path) -> None:
    """MobileNetV2 with signatures for pixels and for encoded pictures.

    Its weights are random, and its BatchNorm has seen pictures: otherwise it would answer all of them alike.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(1)
    model = keras.applications.MobileNetV2(weights=None, classes=10, input_shape=(SIDE, SIDE, 3))
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.5
    for _ in range(6):
        model(tf.image.resize(tf.random.uniform((8, 7, 7, 3), -1, 1), (SIDE, SIDE)), training=True)

    def of_pixels(pixels: Any) -> Any:
        return {"output_0": model(pixels / 127.5 - 1.0, training=False)}

    def decoded(content: Any) -> Any:
        image = tf.io.decode_image(content, channels=3, expand_animations=False)
        return tf.image.resize(tf.ensure_shape(image, (None, None, 3)), (SIDE, SIDE))

    def of_bytes(image_bytes: Any) -> Any:
        shape = tf.TensorSpec((SIDE, SIDE, 3), tf.float32)
        return of_pixels(tf.map_fn(decoded, image_bytes, fn_output_signature=shape))

    archive = keras.export.ExportArchive()
    archive.track(model)
    numbers = tf.TensorSpec((None, SIDE, SIDE, 3), tf.float32, name="pixels")
    archive.add_endpoint("serving_default", of_pixels, input_signature=[numbers])
    archive.add_endpoint("encoded", of_bytes, input_signature=[tf.TensorSpec((None,), tf.string, name="image_bytes")])
    archive.write_out(str(folder), verbose=False)


def without_pictures(folder: Path) -> None:
    """Lets a model folder offer its tensors only, by a manifest that names no other signature."""
    numbers = {"dtype": "float32", "shape": [None, SIDE, SIDE, 3]}
    answer = {"output_0": {"dtype": "float32", "shape": [None, 10]}}
    signatures = {"serving_default": {"inputs": {"pixels": numbers}, "outputs": answer}}
    (folder / "cloudml.json").write_text(json.dumps({"schema": 1, "model": folder.name, "signatures": signatures}))


@dataclass(frozen=True)
class Served:
    """A serving process that is ready."""

    pid: int
    port: int
    engine: str


@contextmanager
def serving(folder: Path, engine_folder: Path | None = None, port: int = 18750) -> Iterator[Served]:
    """Starts a serving process and waits until it says that it is ready."""
    environment = {
        **os.environ,
        "AIP_STORAGE_URI": str(folder),
        "AIP_HTTP_PORT": str(port),
        "CLOUDML_SERVING_MODEL": "model",
        "CLOUDML_SERVING_ENGINE": str(engine_folder or ""),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "cloudml_magic.serving"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        outcome = json.loads(process.stdout.readline())
        yield Served(process.pid, port, outcome["engine"])
    finally:
        process.terminate()
        process.wait(20)


def certified(folder: Path, engine_folder: Path) -> None:
    """Certifies the fast engine; a refusal would make every figure of it meaningless."""
    command = [sys.executable, "-m", "cloudml_magic.serving.certification", str(folder), str(engine_folder)]
    said = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert said["engine"] == "onnxruntime", said


def request_bytes(body: bytes, content_type: str = "application/json", path: str = "/v1/models/model:predict") -> bytes:
    """A whole HTTP request, made once and sent often."""
    head = f"POST {path} HTTP/1.1\r\nhost: model\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def npy(array: Any) -> bytes:
    import numpy as np

    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()
