"""Models of the kernel, asked about data of every form: what is right by construction has to be found right."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline import evaluate
from cloudml_magic.records import ClassScores, Evaluation, ValueScores

pytestmark = pytest.mark.slow

X = np.array([[0.0, 9.0], [9.0, 0.0], [9.0, 1.0], [0.0, 1.0]], "float32")
TRUTHS = [1, 0, 0, 0]


def chooser() -> Any:
    """Answers with the place of the larger number: right for all of X but the last."""
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, "softmax", use_bias=False)], name="chooser")
    model.set_weights([np.eye(2, dtype="float32")])
    return model


def probability() -> Any:
    """The probability that the first number is positive."""
    import keras

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, "sigmoid", use_bias=False)])
    model.set_weights([np.ones((1, 1), "float32")])
    return model


def colour() -> Any:
    """Tells whether a picture is more red, green or blue; it wants pixels from 0 to 1."""
    import keras

    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.GlobalAveragePooling2D(), keras.layers.Softmax()])
    model(np.zeros((1, 8, 8, 3), "float32"))
    return model


def classes(evaluation: Evaluation) -> ClassScores:
    assert isinstance(evaluation.scores, ClassScores)
    return evaluation.scores


def test_arrays() -> None:
    """Three of four, and the fourth among the worst with its columns and how sure the model was."""
    found = evaluate(chooser(), (X, np.array(TRUTHS)), labels=["left", "right"])
    assert (found.model, found.count, classes(found).accuracy) == ("chooser", 4, 0.75)
    assert classes(found).confusion == ((2, 1), (0, 1))
    (worst,) = found.worst
    assert (worst.index, worst.truth, worst.answer, worst.inputs) == (3, "left", "right", {"0": 0.0, "1": 1.0})
    assert worst.share == pytest.approx(np.e / (1 + np.e), abs=1e-6)


def test_a_frame_with_a_column_of_names() -> None:
    """The usual name of the column is found, any other is said."""
    import pandas as pd

    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "kind": ["two", "one", "one", "one"]})
    found = evaluate(chooser(), frame, label="kind")
    assert [one.label for one in classes(found).classes] == ["one", "two"]
    assert classes(found).accuracy == 0.75
    assert evaluate(chooser(), frame.rename(columns={"kind": "Label"})).scores == found.scores
    assert found.worst[0].inputs == {"a": 0.0, "b": 1.0}


@pytest.mark.parametrize(
    "prepare",
    [lambda data: data, lambda data: data.batch(3), lambda data: data.batch(2, drop_remainder=True)],
    ids=["not batched", "batched", "batches of one size"],
)
@pytest.mark.parametrize("one_hot", [False, True], ids=["numbers", "one-hot"])
def test_datasets(prepare: Callable[[Any], Any], one_hot: bool) -> None:
    """Batched or not, with numbers of classes or rows of ones."""
    import tensorflow as tf

    truths = np.eye(2)[TRUTHS] if one_hot else np.array(TRUTHS)
    found = evaluate(chooser(), prepare(tf.data.Dataset.from_tensor_slices((X, truths))))
    assert classes(found).confusion == ((2, 1), (0, 1))


def test_several_inputs_by_name() -> None:
    """Columns of a dictionary, each with an input of its own; texts among them."""
    import keras

    age, kind = keras.Input((1,), name="age"), keras.Input((1,), name="kind", dtype="string")
    is_old = keras.layers.StringLookup(vocabulary=["old"], output_mode="one_hot")(kind)
    model = keras.Model([age, kind], keras.layers.Dense(2, "softmax", kernel_initializer="identity")(is_old))
    columns = {"age": np.array([1.0, 2.0]), "kind": np.array(["old", "new"], object)}
    assert classes(evaluate(model, (columns, np.array([1, 0])))).accuracy == 1.0


def test_one_probability_tells_two_classes_apart() -> None:
    """By numbers, by true and false, by names in the order of the labels."""
    x = np.array([[-2.0], [3.0]], "float32")
    for truths in ([0, 1], [False, True], ["no", "yes"]):
        assert classes(evaluate(probability(), (x, np.array(truths)), labels=["no", "yes"])).accuracy == 1.0


def test_a_number_gets_its_errors() -> None:
    """Mean absolute and squared error, and the rows that are farthest off."""
    import keras

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.full((1, 1), 2.0, "float32")])
    found = evaluate(model, (np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 4.0, 9.0])))
    assert isinstance(found.scores, ValueScores)
    assert found.scores.mean_absolute_error == pytest.approx(1.0)
    assert [(one.truth, one.answer) for one in found.worst] == [("9", "6")]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Three folders of pictures in three formats; one red picture lies among the blue ones."""
    shades = {"blue": (0, 0, 250), "green": (0, 250, 0), "red": (250, 0, 0)}
    for name, shade in shades.items():
        (tmp_path / "Test" / name).mkdir(parents=True)
        for index, kind in enumerate(("png", "bmp", "webp")):
            Image.new("RGB", (20, 10), shade).save(tmp_path / "Test" / name / f"{index} {kind}.{kind}")
    Image.new("RGB", (20, 10), shades["red"]).save(tmp_path / "Test/blue/lost.png")
    return tmp_path / "Test"


def test_folders_of_pictures(pictures: Path) -> None:
    """The folders are the classes; the picture in the wrong one is the worst, with its thumbnail."""
    found = evaluate(colour(), pictures, labels=["red", "green", "blue"], preprocess="1/255")
    assert (found.count, classes(found).accuracy) == (10, 0.9)
    (worst,) = found.worst
    assert (worst.name, worst.truth, worst.answer) == ("blue/lost.png", "blue", "red")
    assert worst.thumbnail is not None and worst.thumbnail.startswith((b"\x89PNG", b"\xff\xd8"))


def test_folders_are_classes_in_alphabetical_order(pictures: Path) -> None:
    """As Keras's own loader numbers them, whose dataset gives the same figures."""
    import keras

    by_folder = evaluate(colour(), pictures, preprocess="1/255")
    for webp in pictures.rglob("*.webp"):
        webp.unlink()
    dataset = keras.utils.image_dataset_from_directory(pictures, image_size=(8, 8), verbose=False)
    by_keras = evaluate(colour(), dataset)
    assert [one.label for one in classes(by_folder).classes] == dataset.class_names
    assert [one.label for one in classes(by_keras).classes] == dataset.class_names
    assert evaluate(colour(), pictures, preprocess="1/255").scores == by_keras.scores
    assert by_keras.worst[0].thumbnail is not None


@pytest.mark.parametrize("kind", ["int", "categorical"])
def test_a_dataset_numbers_classes_in_its_own_way(pictures: Path, kind: str) -> None:
    """By the names of its folders, of which it may have fewer than the model, in another order."""
    import keras

    for webp in pictures.rglob("*.webp"):
        webp.unlink()
    shutil.rmtree(pictures / "green")
    dataset = keras.utils.image_dataset_from_directory(
        pictures, label_mode=kind, batch_size=4, image_size=(8, 8), verbose=False
    )
    found = evaluate(colour(), dataset, labels=["red", "green", "blue"])
    assert classes(found).confusion == ((2, 0, 0), (0, 0, 0), (1, 0, 2))
    with pytest.raises(CloudMLError) as caught:
        evaluate(colour(), dataset, labels=["scarlet", "green", "blue"])
    assert caught.value.what == "The data has classes that the model does not know: red."


def test_a_picture_that_cannot_be_read_is_left_out(pictures: Path) -> None:
    """And told of; where none can be read, that is the error."""
    (pictures / "red/broken.png").write_bytes(b"no picture")
    found = evaluate(colour(), pictures, labels=["red", "green", "blue"], preprocess="1/255")
    assert found.count == 10
    assert found.notes == (
        "Left out: red/broken.png cannot be read as a picture. Its bytes are no picture that Pillow reads.",
    )
    for folder in ("red", "green", "blue"):
        shutil.rmtree(pictures / folder)
    (pictures / "red").mkdir()
    (pictures / "red/broken.png").write_bytes(b"")
    with pytest.raises(CloudMLError) as caught:
        evaluate(colour(), pictures, labels=["red", "green", "blue"], preprocess="1/255")
    assert (caught.value.reference, caught.value.why) == ("bad-picture", "It is empty.")


def test_a_keras_file(tmp_path: Path) -> None:
    """Loaded without running code of it, by the name of the file."""
    chooser().save(tmp_path / "best.keras")
    found = evaluate(tmp_path / "best.keras", (X, np.array(TRUTHS)))
    assert (found.model, classes(found).accuracy) == ("best", 0.75)


def two_outputs() -> Any:
    import keras

    x = keras.Input((2,))
    return keras.Model(x, [keras.layers.Dense(1)(x), keras.layers.Dense(1)(x)], name="twins")


def sequences() -> Any:
    import keras

    return keras.Sequential([keras.Input((2, 2)), keras.layers.Dense(3)], name="sequences")


def distance() -> Any:
    import keras

    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)], name="distance")


REFUSALS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no model": (
        lambda folder: evaluate(3, (X, TRUTHS)),
        "A value of type int is no model.\n"
        "  Next: Give a job's name, the variable of a Keras model, a deployed model, or the path of a .keras file.\n"
        "[no-keras-model]",
    ),
    "no truth": (
        lambda folder: evaluate(chooser(), X),
        "A value of type ndarray is no examples with their truth.\n"
        "  Next: Give a folder with a folder of pictures for each class, a pair `(x, y)`, a frame with a column of labels,"
        " or a tf.data.Dataset of such pairs.\n"
        "[unclear-examples]",
    ),
    "too few truths": (
        lambda folder: evaluate(chooser(), (X, [1, 0])),
        "There are 4 examples, but 2 truths.\n  Next: Give as many of one as of the other.\n[truth-does-not-fit]",
    ),
    "no examples": (
        lambda folder: evaluate(chooser(), (X[:0], [])),
        "There are no examples.\n  Next: Give at least one.\n[no-instances]",
    ),
    "pictures for a model of numbers": (
        lambda folder: evaluate(chooser(), folder),
        "The model chooser takes no picture files, so a folder of them cannot be evaluated.\n"
        "  Next: Give a pair `(x, y)`, a frame with a column of labels, or a tf.data.Dataset.\n"
        "[no-picture-model]",
    ),
    "several outputs": (
        lambda folder: evaluate(two_outputs(), (X, TRUTHS)),
        "The model twins gives 2 outputs; an evaluation is of one.\n"
        "  Next: Make a model of the output that counts, `keras.Model(model.inputs, model.outputs[0])`, and evaluate"
        " that.\n"
        "[several-outputs]",
    ),
    "answers of several dimensions": (
        lambda folder: evaluate(sequences(), (np.zeros((4, 2, 2)), TRUTHS)),
        "The model sequences cannot be evaluated.\n"
        "  Why:  For 4 examples it answers with numbers of shape [4, 2, 3]; an evaluation is of one row of classes, or of"
        " one number, for each.\n"
        "  Next: Evaluate a model whose last layer is `Dense`, over classes or with one unit.\n"
        "[not-evaluable]",
    ),
    "a number against names": (
        lambda folder: evaluate(distance(), (X, ["near", "far", "far", "near"])),
        "The model distance gives one number, and its truths are classes.\n"
        "  Why:  Nothing says that the number is a probability; its last activation is linear.\n"
        "  Next: End the model with a sigmoid, or give the truth as numbers.\n"
        "[not-evaluable]",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_evaluated_is_said(case: str, tmp_path: Path) -> None:
    """What was given, why it does not do, and what would."""
    attempt, expected = REFUSALS[case]
    with pytest.raises(CloudMLError) as caught:
        attempt(tmp_path)
    assert str(caught.value) == expected


def test_folders_without_pictures_are_told_apart(tmp_path: Path) -> None:
    """Not there, empty, something else in it, pictures that lie in no folder of a class."""
    for name, content, why in (
        ("empty", None, "It is empty."),
        ("texts", "a/notes.txt", "What lies there is no picture: a/notes.txt."),
        ("loose", "a.png", "Its pictures lie in no folders."),
    ):
        folder = tmp_path / name
        folder.mkdir()
        if content:
            (folder / content).parent.mkdir(exist_ok=True)
            (folder / content).touch()
        with pytest.raises(CloudMLError) as caught:
            evaluate(colour(), folder)
        assert (caught.value.reference, caught.value.why) == ("no-pictures", why)
    with pytest.raises(CloudMLError, match="There is no folder"):
        evaluate(colour(), tmp_path / "gone")
