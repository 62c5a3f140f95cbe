"""At its end a job exports what it trained; whatever goes wrong with that, the job and its model are kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudml_magic.model_folder import check_files, read_folder

from .packages import Ran, package, run

pytestmark = pytest.mark.slow
PICTURES = """
import keras, numpy as np
def prepared(pixels):
    return pixels / 100.0 - 1.0
class Data:
    pass
names = ["daisy", "rose"]
model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")])
model.compile("sgd", "sparse_categorical_crossentropy")
x = np.arange(4 * 8 * 8 * 3).reshape(4, 8, 8, 3) % 256
model.fit(prepared(x.astype("float32")), np.zeros(4), epochs=1)
np.save("expected.npy", model.predict(prepared(x.astype("float32")), verbose=0))
"""
SMALL = """
import keras, numpy as np
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
model.compile("sgd", "mse")
model.fit(np.zeros((4, 3)), np.zeros((4, 2)), epochs=1)
np.save("expected.npy", model.predict(np.ones((2, 3)), verbose=0))
"""


def answer(folder: Path, signature: str, **inputs: Any) -> Any:
    import tensorflow as tf

    asked = tf.saved_model.load(str(folder)).signatures[signature]
    return asked(**{name: tf.constant(value) for name, value in inputs.items()})["output_0"].numpy()


def messages(ran: Ran) -> list[str]:
    return [event["message"] for event in ran.of("warning")]


def test_a_job_leaves_its_model_ready_to_be_asked(tmp_path: Path) -> None:
    """With the labels and the preprocessing of its own module, after the model itself was saved."""
    asked = {"labels": "names", "preprocess": "prepared", "scaling": "1/255", "source": "f00d"}
    ran = run(package(PICTURES), tmp_path, export=asked, warnings=["Look here."])
    assert ran.code == 0, ran.err
    assert messages(ran) == ["Look here."]
    kinds = [event["kind"] for event in ran.events]
    assert kinds.index("warning") < kinds.index("fit"), "what the user has to know is said before training"
    assert [event["artifact"] for event in ran.of("artifact")] == ["history", "model", "export"]
    assert ran.of("artifact")[-1]["path"] == "model"
    folder = ran.folder / "model"
    check_files(folder)
    interface = read_folder(folder)
    assert interface.labels == {"output_0": ("daisy", "rose")}
    assert interface.digest == "f00d"
    assert interface.picture is not None and interface.picture.preprocess == "prepared"
    assert json.loads((folder / "cloudml.json").read_bytes())["model"] == "demo"
    pixels = (np.arange(4 * 8 * 8 * 3).reshape(4, 8, 8, 3) % 256).astype("float32")
    expected = np.load(tmp_path / "expected.npy")
    np.testing.assert_allclose(answer(folder, "pixels", pixels=pixels), expected, atol=1e-6)
    assert not list(folder.rglob("*.part"))


def test_a_model_that_cannot_be_exported_is_kept(tmp_path: Path) -> None:
    """A warning says why and what helps; the job has succeeded with its model."""
    broken = """
class Outside(keras.layers.Layer):
    def call(self, x):
        return keras.ops.convert_to_tensor(np.asarray(x))
    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape, x.dtype)
model = keras.Sequential([keras.Input((3,)), Outside()], name="outside")
"""
    ran = run(package(SMALL + broken), tmp_path, model="model")
    assert ran.code == 0, ran.err
    [message] = messages(ran)
    assert message.startswith(
        "The model is saved, but cannot be served: The model outside cannot be written as a SavedModel (NotImplementedError: "
    )
    assert message.endswith(
        "What its layers do has to be TensorFlow's or keras.ops' own operations, for any batch size."
    )
    assert sorted(path.name for path in (ran.folder / "model").iterdir()) == ["history.json", "model.keras"]


def test_pictures_that_may_have_been_scaled_are_asked_about(tmp_path: Path) -> None:
    """A model that is asked about pictures on another scale answers nonsense without an error."""
    ran = run(package(PICTURES), tmp_path, export={"scaling": "1/255"})
    assert messages(ran) == [
        "The code divides by 255 or 127.5. If that prepares its pictures, the exported model has to do the same to those"
        " that it is asked about: train with --preprocess 1/255, or %ml_export with it; if it prepares none, with"
        " --preprocess 1."
    ]
    assert ran.of("artifact")[-1]["artifact"] == "export"


def test_an_export_that_finds_no_room_leaves_nothing(tmp_path: Path) -> None:
    """The model is there already; half an export would be taken for a model."""
    full = """
import errno, shutil
moved = shutil.move
def move(path, part):
    if part.endswith("saved_model.pb.part"):
        raise OSError(errno.ENOSPC, "No space left on device")
    return moved(path, part)
shutil.move = move
"""
    ran = run(package(SMALL, full), tmp_path)
    assert ran.code == 0, ran.err
    assert messages(ran) == [
        "The model is saved, but its export failed, so it cannot be served:"
        " OSError: [Errno 28] No space left on device."
    ]
    left = [path.name for path in (ran.folder / "model").rglob("*") if path.is_file()]
    assert sorted(left) == ["history.json", "model.keras"]


def test_a_model_of_the_jax_backend_is_served_by_tensorflow(tmp_path: Path) -> None:
    """Its SavedModel answers what it answered, for any number of rows, pictures and preprocessing included."""
    small = run(package(SMALL), tmp_path / "small", env={"KERAS_BACKEND": "jax"})
    assert (small.code, messages(small)) == (0, []), small.err
    folder = small.folder / "model"
    [taken] = read_folder(folder).signatures["serving_default"].inputs
    expected = np.load(tmp_path / "small/expected.npy")
    ones = np.ones((2, 3), "float32")
    np.testing.assert_allclose(answer(folder, "serving_default", **{taken.name: ones}), expected, atol=1e-6)
    np.testing.assert_allclose(answer(folder, "serving_default", **{taken.name: ones[:1]}), expected[:1], atol=1e-6)
    pictures = run(
        package(PICTURES), tmp_path / "pictures", env={"KERAS_BACKEND": "jax"}, export={"preprocess": "prepared"}
    )
    assert (pictures.code, messages(pictures)) == (0, []), pictures.err
    folder = pictures.folder / "model"
    assert json.loads((folder / "cloudml.json").read_bytes())["backend"] == "jax"
    pixels = (np.arange(4 * 8 * 8 * 3).reshape(4, 8, 8, 3) % 256).astype("float32")
    expected = np.load(tmp_path / "pictures/expected.npy")
    np.testing.assert_allclose(answer(folder, "pixels", pixels=pixels), expected, atol=1e-6)
    import tensorflow as tf

    content = tf.io.encode_png(pixels[0].astype("uint8")).numpy()
    np.testing.assert_allclose(answer(folder, "serving_default", image_bytes=[content]), expected[:1], atol=1e-6)


def test_a_model_of_the_pytorch_backend_is_served_by_tensorflow(tmp_path: Path) -> None:
    """Of Keras's own layers; labels, task and preprocessing as with any other."""
    pytest.importorskip("torch")
    preprocess = "1/100-1"
    ran = run(
        package(PICTURES),
        tmp_path,
        env={"KERAS_BACKEND": "torch"},
        export={"labels": "names", "preprocess": preprocess},
    )
    assert (ran.code, messages(ran)) == (0, []), ran.err
    folder = ran.folder / "model"
    check_files(folder)
    manifest = json.loads((folder / "cloudml.json").read_bytes())
    assert (manifest["backend"], manifest["task"]) == ("torch", "classification")
    assert manifest["picture"]["preprocess"] == preprocess
    assert manifest["labels"] == {"output_0": ["daisy", "rose"]}
    pixels = (np.arange(4 * 8 * 8 * 3).reshape(4, 8, 8, 3) % 256).astype("float32")
    expected = np.load(tmp_path / "expected.npy")
    np.testing.assert_allclose(answer(folder, "pixels", pixels=pixels), expected, atol=1e-5)


def test_a_pytorch_model_with_layers_of_the_notebook_is_kept_unserved(tmp_path: Path) -> None:
    """The warning says why and what helps."""
    pytest.importorskip("torch")
    own = """
class Own(keras.layers.Layer):
    def call(self, x):
        return x * 2
model = keras.Sequential([keras.Input((3,)), Own()])
"""
    ran = run(package(SMALL + own), tmp_path, env={"KERAS_BACKEND": "torch"}, model="model")
    assert ran.code == 0, ran.err
    [message] = messages(ran)
    assert message.startswith(
        "The model is saved, but cannot be served: TensorFlow writes the SavedModel, and cannot load the model with"
        " Keras's own classes (TypeError: "
    )
    assert message.endswith(
        "Build it of Keras's own layers, or train it with the TensorFlow or the JAX backend, to have it served."
    )
    assert sorted(path.name for path in (ran.folder / "model").iterdir()) == ["history.json", "model.keras"]
