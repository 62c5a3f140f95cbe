"""Models of every build export as they are: their SavedModel answers what `model.predict` answers, by name."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudml_magic.trainer.export import NotExportableError

from .exported import Exported

pytestmark = pytest.mark.slow


def rows(*shape: int) -> Any:
    return np.random.default_rng(3).normal(size=shape).astype("float32")


def test_a_sequential_model_built_by_its_first_batch(tmp_path: Path) -> None:
    """Without an input layer of the user's, and for any number of rows."""
    import keras

    model = keras.Sequential([keras.layers.Dense(3)])
    x = rows(4, 7)
    model(x)
    exported = Exported(model, tmp_path)
    [taken] = exported.interface.signatures["serving_default"].inputs
    assert taken.shape == (None, 7)
    for count in (1, 4):
        answer = exported.ask(**{taken.name: x[:count]})
        np.testing.assert_allclose(answer, model.predict(x[:count], verbose=0), atol=1e-6)


def test_several_inputs_and_outputs_by_their_names(tmp_path: Path) -> None:
    """In the model's own order, with names that a request can hold."""
    import keras

    left, right = keras.Input((4,), name="left part"), keras.Input((2,), name="right")
    model = keras.Model(
        [left, right],
        [keras.layers.Dense(2, name="price")(left), keras.layers.Dense(3, activation="softmax", name="kind")(right)],
    )
    exported = Exported(model, tmp_path)
    a, b = rows(5, 4), rows(5, 2)
    price, kind = model.predict([a, b], verbose=0)
    answer = exported.ask(left_part=a, right=b)
    np.testing.assert_allclose(answer["price"], price, atol=1e-6)
    np.testing.assert_allclose(answer["kind"], kind, atol=1e-6)
    signature = exported.interface.signatures["serving_default"]
    assert [one.name for one in signature.inputs] == ["left_part", "right"]
    assert [one.name for one in signature.outputs] == ["price", "kind"]
    assert exported.manifest["activations"] == {"price": "linear", "kind": "softmax"}


def test_dictionaries_in_and_out(tmp_path: Path) -> None:
    """Their keys are the names, in their order."""
    import keras

    taken = {"width": keras.Input((1,), name="width"), "height": keras.Input((1,), dtype="int32", name="height")}
    size = keras.layers.Concatenate()([taken["width"], keras.ops.cast(taken["height"], "float32")])
    model = keras.Model(taken, {"tall": keras.layers.Dense(1)(size), "area": keras.layers.Dense(1)(size)})
    exported = Exported(model, tmp_path)
    x = {"width": rows(3, 1), "height": np.array([[1], [2], [3]], "int32")}
    expected, answer = model.predict(x, verbose=0), exported.ask(**x)
    for name in ("tall", "area"):
        np.testing.assert_allclose(answer[name], expected[name], atol=1e-6)
    signature = exported.interface.signatures["serving_default"]
    assert [(one.name, one.dtype) for one in signature.inputs] == [("width", "float32"), ("height", "int32")]
    assert [one.name for one in signature.outputs] == ["tall", "area"]


def test_text_goes_in_as_text(tmp_path: Path) -> None:
    """The vocabulary is inside."""
    import keras
    import tensorflow as tf

    words = keras.layers.TextVectorization(max_tokens=50, output_sequence_length=4)
    words.adapt(["a fine film", "a dull film"])
    model = keras.Sequential(
        [keras.Input((), dtype="string", name="review"), words, keras.layers.Embedding(50, 4), keras.layers.Flatten(),
         keras.layers.Dense(1, activation="sigmoid")]
    )  # fmt: skip
    model.compile(loss="binary_crossentropy")
    exported = Exported(model, tmp_path)
    texts = ["fine", "dull a", "ünknown"]
    expected = model.predict(tf.constant(texts), verbose=0)
    np.testing.assert_allclose(exported.ask(review=texts), expected, atol=1e-6)
    assert exported.manifest["task"] == "binary"
    assert exported.interface.signatures["serving_default"].inputs[0].dtype == "string"


def test_tables_with_keras_preprocessing(tmp_path: Path) -> None:
    """StringLookup, Normalization and a whole FeatureSpace export with what they learned."""
    import keras
    import tensorflow as tf

    space = keras.utils.FeatureSpace
    features = space(
        {"age": space.float_normalized(), "work": space.string_categorical(), "kids": space.integer_categorical()},
        output_mode="concat",
    )
    table = {"age": np.arange(10.0, dtype="float32"), "work": ["farm", "town"] * 5, "kids": np.arange(10) % 3}
    features.adapt(tf.data.Dataset.from_tensor_slices(table).batch(5))
    model = keras.Model(features.get_inputs(), keras.layers.Dense(1)(features.get_encoded_features()))
    model.compile(loss="mse")
    exported = Exported(model, tmp_path)
    asked = {"age": [[3.0]], "work": [["town"]], "kids": np.array([[2]], "int32")}
    expected = model.predict({name: tf.constant(value) for name, value in asked.items()}, verbose=0)
    np.testing.assert_allclose(exported.ask(**asked), expected, atol=1e-6)
    assert exported.manifest["task"] == "regression"


def test_classes_of_the_notebook(tmp_path: Path) -> None:
    """Layers and models of the user's own, also those that were never saved by name."""
    import keras

    class Scaled(keras.layers.Layer):
        def build(self, shape: Any) -> None:
            self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")

        def call(self, x: Any) -> Any:
            return x * self.scale if self.scale.shape[0] > 1 else x

    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.scaled, self.drop, self.head = Scaled(), keras.layers.Dropout(0.5), keras.layers.Dense(3, "softmax")

        def call(self, batch: Any, training: bool = False) -> Any:
            return self.head(self.drop(self.scaled(batch), training=training))

    model = Own()
    model.compile(loss="sparse_categorical_crossentropy")
    x = rows(8, 4)
    model.fit(x, np.zeros(8), verbose=0)
    exported = Exported(model, tmp_path)
    np.testing.assert_allclose(exported.ask(batch=x), model.predict(x, verbose=0), atol=1e-6)
    assert (exported.manifest["task"], exported.manifest["activations"]) == ("classification", {"output_0": "softmax"})


def test_a_model_of_ones_own_that_takes_a_dictionary_or_text(tmp_path: Path) -> None:
    """Keras remembers the shapes of its first call; that it was text is found by trying."""
    import keras
    import tensorflow as tf

    class Sum(keras.Model):
        def call(self, x: Any) -> Any:
            return x["a"] + x["b"], x["a"]

    model = Sum()
    x = {"a": rows(2, 3), "b": rows(2, 3)}
    model(x)
    answer = Exported(model, tmp_path / "sum").ask(**x)
    np.testing.assert_allclose(answer["output_0"], x["a"] + x["b"])
    np.testing.assert_allclose(answer["output_1"], x["a"])

    class Words(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.lookup = keras.layers.StringLookup(vocabulary=["a", "b"])

        def call(self, text: Any) -> Any:
            return self.lookup(text)

    words = Words()
    words(tf.constant([["a"]]))
    np.testing.assert_array_equal(Exported(words, tmp_path / "words").ask(text=[["b"], ["c"]]), [[2], [0]])


def test_what_cannot_be_exported_says_why(tmp_path: Path) -> None:
    """Never called, called with more than Keras remembers, and what is no operation of TensorFlow."""
    import keras

    class Pair(keras.Model):
        def call(self, x: Any, y: Any) -> Any:
            return x + y

    never, pair = keras.Sequential([keras.layers.Dense(1)], name="never"), Pair(name="pair")
    pair(rows(1, 2), rows(1, 2))
    numpy = keras.Sequential([keras.Input((2,)), Numpy()], name="numpy")
    sentences = {
        never: "The model never has never been called, so its inputs are unknown."
        " Call it once, or train it, before it is exported.",
        pair: "Of what the model pair is called with Keras remembers the first argument alone."
        " Let `call` take its inputs as one dictionary, or build the model from keras.Input.",
        numpy: "The model numpy cannot be written as a SavedModel (NotImplementedError: ",
    }
    for number, (model, sentence) in enumerate(sentences.items()):
        with pytest.raises(NotExportableError) as refused:
            Exported(model, tmp_path / str(number))
        assert str(refused.value).startswith(sentence)


def Numpy() -> Any:  # noqa: N802
    import keras

    class Outside(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return keras.ops.convert_to_tensor(np.asarray(x))

        def compute_output_spec(self, x: Any) -> Any:
            return keras.KerasTensor(x.shape, x.dtype)

    return Outside()


HEADS = [
    (3, "softmax", "categorical_crossentropy", "classification", "softmax"),
    (3, None, "from_logits", "classification", "logits"),
    (1, "sigmoid", "binary_crossentropy", "binary", "sigmoid"),
    (1, None, "binary_from_logits", "binary", "logits"),
    (3, "sigmoid", "binary_crossentropy", "multilabel", "sigmoid"),
    (1, None, "mae", "regression", "linear"),
    (2, "relu", "huber", "regression", "relu"),
    (1, "sigmoid", "mse", "regression", "sigmoid"),
    (3, "softmax", None, "classification", "softmax"),
    (1, None, None, "other", "linear"),
]


@pytest.mark.parametrize(("size", "activation", "loss", "task", "told"), HEADS)
def test_the_task_follows_from_head_and_loss(size: int, activation: Any, loss: Any, task: str, told: str) -> None:
    """Classes, a yes or no, several of them, numbers; `logits` where the loss was told so."""
    import keras

    from cloudml_magic.trainer.export.task import activations_of, task_of

    losses = {
        "from_logits": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "binary_from_logits": keras.losses.BinaryCrossentropy(from_logits=True),
    }
    head = keras.layers.Dense(size, activation=activation)
    model = keras.Sequential([keras.Input((4,)), head, keras.layers.Dropout(0.1)])
    if loss:
        model.compile(loss=losses.get(loss, loss))
    outputs = {"output_0": {"shape": [None, size]}}
    activations = activations_of(model, outputs)
    assert (task_of(model, outputs, activations), activations) == (task, {"output_0": told})


def classifier(size: int = 3) -> Any:
    import keras

    return keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(size, activation="softmax" if size > 1 else "sigmoid")]
    )


class Dataset:
    """What `keras.utils.image_dataset_from_directory` gives, as far as labels go."""

    def __init__(self, *names: str) -> None:
        self.class_names = list(names)


Dataset.__module__ = "tensorflow.python.data"
TWO = "There are 2 labels, but the model has 3 classes to name."


@pytest.mark.parametrize(
    ("labels", "captured", "found", "warning"),
    [
        (["a", "b", "c"], {}, ["a", "b", "c"], None),
        ("names", {"names": np.array(["a", "b", "c"])}, ["a", "b", "c"], None),
        ("train", {"train": Dataset("a", "b", "c")}, ["a", "b", "c"], None),
        (None, {"train": Dataset("a", "b", "c"), "test": Dataset("a", "b", "c")}, ["a", "b", "c"], None),
        (None, {"class_names": ("a", "b", "c")}, ["a", "b", "c"], None),
        (None, {"train": Dataset("a", "b", "c"), "other": Dataset("x", "y", "z")}, None, None),
        (None, {"train": Dataset("a", "b")}, None, None),
        ({"output_0": ["a", "b", "c"]}, {}, ["a", "b", "c"], None),
        (["a", "b"], {}, None, TWO),
        ("gone", {}, None, "--labels gone: there is no such variable."),
        ("n", {"n": 3}, None, "--labels n: the variable is int, not a list of names."),
        ({"x": ["a"]}, {}, None, "The 1 labels of 'x' fit no output of the model."),
        (["a", "b", "a"], {}, None, "The label 'a' is given twice."),
        ({"output_0": ["a", "a", "b"]}, {}, None, "The label 'a' is given twice."),
    ],
)
def test_where_labels_come_from(labels: Any, captured: dict[str, Any], found: Any, warning: str | None) -> None:
    """Given, a variable's, or those on which the Keras datasets of the notebook agree; else none, and why."""
    from cloudml_magic.trainer.export.labels import labels_of

    warnings: list[str] = []
    outputs = {"output_0": {"shape": [None, 3]}}
    answer = labels_of(labels, captured, outputs, {"output_0": "softmax"}, warnings.append)
    assert answer == ({"output_0": found} if found else {})
    assert warnings == ([warning] if warning else [])


def test_numbers_are_not_taken_for_classes() -> None:
    """A regression beside a dataset of two classes gets no labels by itself."""
    from cloudml_magic.trainer.export.labels import labels_of

    outputs, captured = {"output_0": {"shape": [None, 1]}}, {"train": Dataset("cat", "dog")}
    assert labels_of(None, captured, outputs, {"output_0": "linear"}, pytest.fail) == {}
    found = labels_of(None, captured, outputs, {"output_0": "sigmoid"}, pytest.fail)
    assert found == {"output_0": ["cat", "dog"]}


def test_the_manifest_of_a_model(tmp_path: Path) -> None:
    """Labels for one probability are two; versions, source and the digest of every file of the SavedModel are there."""
    import keras
    import tensorflow as tf

    exported = Exported(classifier(1), tmp_path, labels=["cat", "dog"], source_sha256="f00d")
    manifest = exported.manifest
    assert exported.interface.labels == {"output_0": ("cat", "dog")}
    assert (manifest["schema"], manifest["model"], manifest["picture"]) == (1, "demo", None)
    assert (manifest["keras"], manifest["tensorflow"]) == (keras.__version__, tf.__version__)
    assert manifest["source"] == {"sha256": "f00d"}
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert set(manifest["files"]) == there - {"cloudml.json"}
    assert "saved_model.pb" in manifest["files"]


def test_nothing_is_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """An export at the end of a job leaves its log alone."""
    caplog.set_level(logging.WARNING)
    capfd.readouterr()
    Exported(classifier(), tmp_path)
    assert capfd.readouterr().out == ""
