"""A model of the kernel, or a `.keras` file, becomes a model folder in the bucket or on this machine."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudml_magic.errors import CloudMLError
from cloudml_magic.history import CellRecorder
from cloudml_magic.local_platform.lifecycle import stop
from cloudml_magic.model_folder import check_files, read_folder, read_interface
from cloudml_magic.pipeline.exporting import export, is_keras_model
from cloudml_magic.pipeline.session import connection
from cloudml_magic.storage import Address
from tests.shells import new_shell

pytestmark = pytest.mark.slow


@pytest.fixture
def platform(home: Path) -> Iterator[None]:
    """A platform of the test's own, started by what needs it."""
    yield
    stop()


def classifier() -> Any:
    import keras

    keras.utils.set_random_seed(3)
    return keras.Sequential([keras.Input((4,), name="row"), keras.layers.Dense(3, activation="softmax")], name="net")


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The variables of a notebook."""
    names: dict[str, Any] = {}
    for module in ("exporting", "model_file"):
        monkeypatch.setattr(f"cloudml_magic.pipeline.{module}.notebook_namespace", lambda: names)
    return names


def answer(folder: Path, **inputs: Any) -> Any:
    import tensorflow as tf

    asked = tf.saved_model.load(str(folder)).signatures["serving_default"]
    return asked(**{name: tf.constant(value) for name, value in inputs.items()})["output_0"].numpy()


def test_a_model_goes_to_a_folder_of_this_machine(tmp_path: Path, notebook: dict[str, Any]) -> None:
    """With labels of a variable, under the variable's name, ready to be asked."""
    model = classifier()
    notebook |= {"flowers": model, "names": ["a", "b", "c"]}
    folder = export(model, tmp_path / "new" / "flowers", labels="names")
    assert folder == tmp_path / "new" / "flowers"
    assert isinstance(folder, Path)
    check_files(folder)
    assert read_folder(folder).labels == {"output_0": ("a", "b", "c")}
    assert json.loads((folder / "cloudml.json").read_bytes())["model"] == "flowers"
    x = np.ones((2, 4), "float32")
    np.testing.assert_allclose(answer(folder, row=x), model.predict(x, verbose=0), atol=1e-6)


def test_a_model_goes_to_the_bucket(platform: None, notebook: dict[str, Any]) -> None:
    """Under its name and digest where no address is given; the files that the manifest lists are there with it."""
    address = export(classifier(), name="My Flowers")
    assert isinstance(address, Address)
    storage = connection().storage
    prefix, _, digest = str(address).rpartition("/")
    assert prefix == f"{connection().place.bucket}/models/my-flowers" and len(digest) == 33
    manifest = json.loads(storage.read(address / "cloudml.json") or b"")
    assert set(storage.names(address)) == {"cloudml.json", *manifest["files"]}
    interface = read_interface(lambda name: storage.read(address / name), str(address))
    assert interface.task == "classification"
    other = connection().place.bucket / "elsewhere"
    assert export(classifier(), str(other)) == other
    with pytest.raises(CloudMLError) as refused:
        export(classifier(), str(other))
    assert str(refused.value) == (
        f"{other} is there already.\n"
        "  Why:  An export writes a new folder, so that no file of another model stays in it.\n"
        "  Next: Choose another folder, or delete this one.\n"
        "[folder-not-empty]"
    )


def test_a_keras_file_is_exported(tmp_path: Path, notebook: dict[str, Any]) -> None:
    """By its name, with the digest of the file; a class of the notebook is found."""
    import hashlib

    import keras

    class Own(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x * 2

    Own.__module__ = "__main__"
    notebook["Own"] = Own
    file = tmp_path / "doubled.keras"
    keras.Sequential([keras.Input((2,), name="row"), Own()]).save(file)
    folder = export(str(file), tmp_path / "out")
    assert isinstance(folder, Path)
    assert answer(folder, row=[[1.0, 2.0]]).tolist() == [[2.0, 4.0]]
    manifest = json.loads((folder / "cloudml.json").read_bytes())
    assert manifest["model"] == "doubled"
    assert manifest["source"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_file_with_code_needs_the_users_word(tmp_path: Path, notebook: dict[str, Any]) -> None:
    """It says what it is; `trust` exports it."""
    import keras

    file = tmp_path / "lambda.keras"
    keras.Sequential(
        [keras.Input((2,), name="row"), keras.layers.Lambda(lambda x: x * 3, output_shape=(2,))]
    ).save(file)  # fmt: skip
    with pytest.raises(CloudMLError) as refused:
        export(file, tmp_path / "out")
    assert str(refused.value) == (
        f"{file} holds code that loading it would run.\n"
        "  Why:  It has a Lambda. Whoever made the file chose what it does, and it would do so here, with your rights.\n"
        "  Next: If the file is your own, `--trust` loads it.\n"
        "[model-holds-code]"
    )
    folder = export(file, tmp_path / "out", trust=True)
    assert answer(Path(str(folder)), row=[[1.0, 2.0]]).tolist() == [[3.0, 6.0]]


def picture_model() -> Any:
    import keras

    return keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])


VGG = "keras.applications.vgg16.preprocess_input"


@pytest.mark.parametrize(
    ("cells", "found", "told"),
    [
        (
            ["import keras\n%pwd", "x = keras.applications.vgg16.preprocess_input(x)"],
            VGG,
            f"Pictures are preprocessed by {VGG}, which the notebook applies; --preprocess says otherwise.",
        ),
        (
            [
                "import keras\nx = keras.applications.vgg16.preprocess_input(x)\nx = keras.applications.vgg19.preprocess_input(x)"
            ],
            None,
            f"The notebook applies {VGG}, keras.applications.vgg19.preprocess_input; say with --preprocess which of them"
            " this model wants, if any.",
        ),
        (
            ["%%time\nx = x / 255"],
            None,
            "The notebook divides by 255 or 127.5. If that prepares its pictures, export the model with --preprocess"
            " 1/255; else with --preprocess 1.",
        ),
    ],
)
def test_the_cells_of_the_notebook_show_how_pictures_are_prepared(
    tmp_path: Path, notebook: dict[str, Any], monkeypatch: pytest.MonkeyPatch, cells: list[str], found: Any, told: str
) -> None:
    """Of a model that the kernel trained; the user's word goes first, and only picture models are asked about."""
    shell = new_shell()
    shell.cloudml_recorder = CellRecorder()
    shell.events.register("post_run_cell", shell.cloudml_recorder.post_run_cell)
    for cell in (
        "nothing / 127.5",
        "import numpy as np\nx = np.ones((1, 8, 8, 3), 'float32')",
        *cells,
    ):
        shell.run_cell(cell, store_history=True)
    monkeypatch.setattr("cloudml_magic.pipeline.noticed.current_shell", lambda: shell)
    with pytest.warns(UserWarning) as warned:
        folder = export(picture_model(), tmp_path / "noticed")
    assert [str(one.message) for one in warned] == [told]
    picture = read_folder(Path(str(folder))).picture
    assert picture is not None and picture.preprocess == found
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        export(picture_model(), tmp_path / "said", preprocess="1")
        export(classifier(), tmp_path / "table")


def test_what_is_wrong_is_said_before_anything_is_written(tmp_path: Path, notebook: dict[str, Any]) -> None:
    """No model, labels that fit nothing, a folder that is taken, a model that cannot be exported."""
    import keras

    with pytest.raises(CloudMLError) as refused:
        export(3, tmp_path / "out")
    assert str(refused.value) == (
        "A value of type int is no Keras model.\n"
        "  Next: Give the variable of a Keras model, or the path of a .keras file.\n"
        "[no-keras-model]"
    )
    with pytest.raises(CloudMLError, match="There are 2 labels, but the model has 3 classes to name"):
        export(classifier(), tmp_path / "out", labels="a,b")
    with pytest.raises(CloudMLError) as unbuilt:
        export(keras.Sequential([keras.layers.Dense(1)], name="net"), tmp_path / "out")
    assert str(unbuilt.value) == (
        "The model net cannot be exported.\n"
        "  Why:  The model net has never been called, so its inputs are unknown.\n"
        "  Next: Call it once, or train it, before it is exported.\n"
        "[not-exportable]"
    )
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").touch()
    with pytest.raises(CloudMLError, match="is there already"):
        export(classifier(), tmp_path / "file")


def test_what_a_keras_model_is() -> None:
    """A model, not its name."""
    assert is_keras_model(classifier())
    assert not is_keras_model("model.keras")


def test_the_same_model_is_exported_once(platform: None, notebook: dict[str, Any]) -> None:
    """Also after it was saved and loaded; other weights, labels or a resize are another export."""
    import keras

    model = classifier()
    address = export(model, name="net", labels=["a", "b", "c"])
    assert export(model, name="net", labels=["a", "b", "c"]) == address
    assert export(keras.models.clone_model(model), name="net", labels=["a", "b", "c"]) != address
    assert export(model, name="net", labels=["a", "b", "d"]) != address
    notebook["names"] = ["a", "b", "c"]
    named = export(model, name="net", labels="names")
    notebook["names"] = ["x", "y", "z"]
    assert export(model, name="net", labels="names") != named
    model.layers[0].set_weights([np.ones((4, 3)), np.zeros(3)])
    assert export(model, name="net", labels=["a", "b", "c"]) != address


def test_a_file_is_exported_once(platform: None, notebook: dict[str, Any], tmp_path: Path) -> None:
    """The same file again leads to the same folder."""
    classifier().save(tmp_path / "net.keras")
    assert export(tmp_path / "net.keras") == export(str(tmp_path / "net.keras"))


def test_a_model_with_code_of_its_own_is_exported_anew(platform: None, notebook: dict[str, Any]) -> None:
    """Its code may use what the notebook has changed since."""
    import keras

    factor = [1.0]

    class Scaled(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs * factor[0]

    model = keras.Sequential([keras.Input((4,)), Scaled()], name="scaled")
    first = export(model, name="scaled")
    factor[0] = 2.0
    assert export(model, name="scaled") != first


def test_what_is_for_pictures_is_refused_of_others(notebook: dict[str, Any], tmp_path: Path) -> None:
    """Nothing that was asked for is left out without a word."""
    with pytest.raises(CloudMLError, match="--resize crop is for models that take pictures, which this one does not"):
        export(classifier(), tmp_path / "new", resize="crop")


@pytest.mark.parametrize("given", ["nosuch", "5"])
def test_a_name_of_nothing_is_said_to_be_one(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a variable nor a file is called so."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CloudMLError) as refused:
        export(given)
    assert refused.value.what == f"There is no variable and no file called {given!r}."
    with pytest.raises(CloudMLError) as refused:
        export(str(tmp_path))
    assert refused.value.what == f"{tmp_path} is a folder."


def test_a_folder_that_cannot_be_written_is_named(notebook: dict[str, Any]) -> None:
    """The system's reason, in our words around it."""
    with pytest.raises(CloudMLError) as refused:
        export(classifier(), "/proc/x")
    assert refused.value.what == "The model could not be written to /proc/x."
    assert refused.value.why.startswith("[Errno 2]")


def test_an_export_says_nothing(notebook: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where TensorFlow puts its files in between is nobody's business; in a notebook it logs from INFO."""
    import logging
    import logging.handlers

    log, told = logging.getLogger("tensorflow"), logging.handlers.BufferingHandler(1000)
    monkeypatch.setattr(log, "handlers", [told])
    monkeypatch.setattr(log, "level", logging.INFO)
    log.manager._clear_cache()  # type: ignore[attr-defined]
    export(classifier(), tmp_path / "new")
    assert [record.getMessage() for record in told.buffer] == []
    assert log.level == logging.INFO


def test_a_file_with_classes_that_are_not_there_names_them(notebook: dict[str, Any], tmp_path: Path) -> None:
    """And says what helps a file, which is not what helps a job."""
    import keras

    class Odd(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs + 1

    Odd.__module__ = "__main__"
    keras.Sequential([keras.Input((2,)), Odd()]).save(tmp_path / "odd.keras")
    with pytest.raises(CloudMLError) as refused:
        export(tmp_path / "odd.keras")
    assert (refused.value.why, refused.value.next) == (
        "It is made with Odd, which this notebook does not define.",
        "Run the cells that define its classes and try again, or load it with keras.saving.load_model and give the"
        " variable.",
    )
