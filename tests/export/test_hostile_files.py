"""Model files that would run code: none does, and each is refused with the reason (S4)."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.model_file import load_model

pytestmark = pytest.mark.slow
TRUSTING = "`--trust`"


def load(file: Path, **options: Any) -> Any:
    return load_model(file, "The file", trusting=TRUSTING, **options)


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A file that code of a hostile model would make."""
    file = tmp_path / "executed"
    yield file
    assert not file.exists(), "the file's code was run"


def keras_file(path: Path, config: Any, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", config if isinstance(config, bytes) else json.dumps(config))
        archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
        archive.writestr("model.weights.h5", _no_weights())
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def _no_weights() -> bytes:
    import h5py

    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.create_group("layers")
    return content.getvalue()


def layer(
    name: str, module: str | None = "keras.layers", registered: str | None = None, **config: Any
) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": {"name": "x", **config}, "registered_name": registered}


def model_of(*layers: Any) -> dict[str, Any]:
    taken = layer("InputLayer", batch_shape=[None, 2], dtype="float32")
    config = {"name": "model", "layers": [taken, *layers]}
    return {"module": "keras", "class_name": "Sequential", "config": config, "registered_name": None}


def saved_lambda(path: Path, canary: Path) -> Path:
    import keras

    body = f"lambda x: (open({str(canary)!r}, 'w').close(), x)[1]"
    function = eval(body, {"open": lambda *arguments: io.StringIO()})
    file = path / "lambda.keras"
    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(function, output_shape=(2,))])
    model.save(file)
    return file


def lambda_of(module: str, name: str, **arguments: Any) -> dict[str, Any]:
    function = {"module": module, "class_name": "function", "config": name, "registered_name": name}
    return layer("Lambda", function=function, arguments=arguments, output_shape=None)


HOSTILE: dict[str, Callable[[Path, Path], Path]] = {
    "a Lambda layer": saved_lambda,
    "a Lambda of os.system": lambda path, canary: keras_file(
        path / "m.keras", model_of(lambda_of("os", "system", command=f"touch {canary}"))
    ),
    "a layer that is os.system": lambda path, canary: keras_file(
        path / "m.keras", model_of(layer("system", "os", "os>system", command=f"touch {canary}"))
    ),
    "a layer that is exec": lambda path, canary: keras_file(
        path / "m.keras", model_of(layer("exec", "builtins", "exec", source=f"open({str(canary)!r}, 'w')"))
    ),
    "a model that is subprocess.Popen": lambda path, canary: keras_file(
        path / "m.keras", {"module": "subprocess", "class_name": "Popen", "config": {"args": ["touch", str(canary)]}, "registered_name": "Popen"}
    ),
    "get_file": lambda path, canary: keras_file(
        path / "m.keras", model_of(lambda_of("keras.utils", "get_file", fname=str(canary), origin=f"file://{__file__}"))
    ),
    "get_file as an activation": lambda path, canary: keras_file(
        path / "m.keras",
        model_of(layer("Dense", units=1, activation={"module": "keras.utils", "class_name": "function", "config": "get_file", "registered_name": "get_file"})),
    ),
    "enabling unsafe loading": lambda path, canary: keras_file(
        path / "m.keras",
        model_of(
            layer("Dense", units=1, activation={"module": "keras.config", "class_name": "function", "config": "enable_unsafe_deserialization", "registered_name": None}),
            lambda_of("os", "system", command=f"touch {canary}"),
        ),
    ),
    "a bytecode lambda in a Dense": lambda path, canary: keras_file(
        path / "m.keras",
        model_of(layer("Dense", units=1, activation={"class_name": "__lambda__", "config": {"value": "4wAAAA==", "defaults": None, "closure": None}})),
    ),
    "a SavedModel from elsewhere": lambda path, canary: keras_file(
        path / "m.keras", model_of(layer("TFSMLayer", filepath="/nowhere", call_endpoint="serve"))
    ),
    "a pickled torch module": lambda path, canary: keras_file(
        path / "m.keras", model_of(layer("TorchModuleWrapper", module_bytes="gASV"))
    ),
    "a module of the user's folder": lambda path, canary: keras_file(
        path / "m.keras", model_of(layer("Evil", "tests.export.evil", "Evil"))
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_of_a_file_is_run(tmp_path: Path, canary: Path, name: str) -> None:
    """Code in whatever form is refused, with what it is and how to say that the file is one's own."""
    with pytest.raises(CloudMLError) as refused:
        load(HOSTILE[name](tmp_path, canary))
    assert refused.value.reference == "model-holds-code"
    assert refused.value.what == "The file holds code that loading it would run."
    assert refused.value.why.endswith(
        "Whoever made the file chose what it does, and it would do so here, with your rights."
    )
    assert refused.value.next == "If the file is your own, `--trust` loads it."


class Touch:
    """What a pickle runs when it is loaded."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.file,))


@pytest.mark.parametrize("suffix", ["keras", "pkl", "h5"])
def test_a_pickle_is_none_by_any_name(tmp_path: Path, canary: Path, suffix: str) -> None:
    """Nor is one that calls itself a model."""
    file = tmp_path / f"model.{suffix}"
    file.write_bytes(pickle.dumps(Touch(canary)))
    with pytest.raises(CloudMLError) as refused:
        load(file)
    assert str(refused.value) == (
        f"The file is {'an HDF5 file' if suffix == 'h5' else 'a pickle'}, which is not loaded.\n"
        "  Why:  Whoever made such a file could have code run in this kernel, with your rights.\n"
        "  Next: Load it yourself if you know where it comes from, and save it: model.save('model.keras').\n"
        "[model-format-refused]"
    )


def test_hdf5_is_refused_by_its_content(tmp_path: Path) -> None:
    """Whose loading has ignored safe mode before."""
    file = tmp_path / "model.keras"
    file.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(CloudMLError, match="is an HDF5 file, which is not loaded"):
        load(file)


BROKEN: dict[str, Callable[[Path], Any]] = {
    "no archive": lambda file: file.write_bytes(b"something"),
    "empty": lambda file: file.write_bytes(b""),
    "no description": lambda file: zipfile.ZipFile(file, "w").close(),
    "broken description": lambda file: keras_file(file, b"{"),
    "deep description": lambda file: keras_file(file, b"[" * 100_000 + b"]" * 100_000),
    "a member above": lambda file: keras_file(file, model_of(), **{"../evil.txt": b"x"}),
    "a member of the system": lambda file: keras_file(file, model_of(), **{"/tmp/evil.txt": b"x"}),
    "a member above, as Windows writes it": lambda file: keras_file(file, model_of(), **{"a\\..\\..\\evil.txt": b"x"}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_unsound_archive_is_refused_whole(tmp_path: Path, name: str) -> None:
    """Before anything of it is unpacked."""
    file = tmp_path / "inner" / "model.keras"
    file.parent.mkdir()
    BROKEN[name](file)
    with pytest.raises(CloudMLError) as refused:
        load(file)
    assert refused.value.reference == "no-keras-file"
    assert refused.value.what == "The file is no sound .keras file."
    assert sorted(tmp_path.rglob("*")) == [file.parent, file]


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    """By what it claims, unread."""
    file = tmp_path / "model.keras"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("config.json", "w") as member:
        for _ in range(80):
            member.write(bytes(1 << 20))
    with pytest.raises(CloudMLError, match="Its description is larger than any model's"):
        load(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Said as such."""
    with pytest.raises(CloudMLError, match="The file cannot be read"):
        load(tmp_path / "none.keras")


def test_ones_own_code_is_loaded_when_it_is_trusted(tmp_path: Path) -> None:
    """A Lambda layer of the user's works with their word; a notebook's class needs none."""
    import keras
    import numpy as np

    file = tmp_path / "lambda.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x * 3, output_shape=(2,))]).save(file)
    assert load(file, trust=True).predict(np.ones((1, 2)), verbose=0).tolist() == [[3.0, 3.0]]

    class Own(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x * 2

    file = tmp_path / "own.keras"
    keras.Sequential([keras.Input((2,)), Own()]).save(file)
    assert load(file, custom_objects={"Own": Own}).predict(np.ones((1, 2)), verbose=0).tolist() == [[2.0, 2.0]]


@pytest.mark.parametrize("kind", ["StringLookup", "TextVectorization"])
def test_a_vocabulary_that_is_a_path_is_refused_by_layer_and_file(tmp_path: Path, kind: str) -> None:
    """The words of any file here would become the model's."""
    file = keras_file(tmp_path / "m.keras", model_of(layer(kind, vocabulary="/etc/passwd")))
    with pytest.raises(CloudMLError) as refused:
        load(file)
    assert str(refused.value) == (
        "The file would read a file of this machine.\n"
        f"  Why:  Its layer x ({kind}) takes its vocabulary from '/etc/passwd'; whoever made the file chose which.\n"
        "  Next: If the file is your own, `--trust` loads it.\n"
        "[model-reads-file]"
    )
