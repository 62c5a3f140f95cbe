"""What an exported model says of itself, read without TensorFlow: from its manifest, or else from its signatures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudml_magic.errors import CloudMLError
from cloudml_magic.model_folder import check_files, read_folder, read_interface
from cloudml_magic.records import PictureInput, Signature, TensorSpec

FLOWERS: dict[str, Any] = {
    "schema": 1,
    "model": "flowers",
    "task": "classification",
    "signatures": {
        "serving_default": {
            "inputs": {"image_bytes": {"dtype": "string", "shape": [None]}},
            "outputs": {"z": {"dtype": "float32", "shape": [None, 2]}, "a": {"dtype": "int64", "shape": [None]}},
        }
    },
    "picture": {"input": "image_bytes", "size": [224, 112], "channels": 3, "resize": "crop", "preprocess": "1/255"},
    "labels": {"z": ["daisy", "rose"]},
    "activations": {"z": "softmax"},
    "tensorflow": "2.21.0",
    "source": {"sha256": "f00d"},
    "files": {"saved_model.pb": "ab"},
}


def reading(**files: bytes) -> Any:
    return lambda name: files.get(name.replace(".", "_"))


def of(document: Any) -> Any:
    return read_interface(reading(cloudml_json=json.dumps(document).encode()), "flowers")


def test_the_manifest_is_the_interface() -> None:
    """Names in the model's own order, sizes with height first, labels and all."""
    interface = of(FLOWERS)
    assert interface.signatures == {
        "serving_default": Signature(
            "serving_default",
            (TensorSpec("image_bytes", "string", (None,)),),
            (TensorSpec("z", "float32", (None, 2)), TensorSpec("a", "int64", (None,))),
        )
    }
    assert interface.picture == PictureInput("image_bytes", 224, 112, 3, "crop", "1/255")
    assert (interface.task, interface.labels) == ("classification", {"z": ("daisy", "rose")})
    assert (interface.activations, interface.tensorflow, interface.digest) == ({"z": "softmax"}, "2.21.0", "f00d")


def test_what_a_manifest_leaves_out_has_a_meaning() -> None:
    """No picture, no labels, an unknown task."""
    interface = of({"schema": 1, "signatures": FLOWERS["signatures"]})
    assert (interface.picture, interface.labels, interface.task, interface.digest) == (None, {}, "other", None)


def test_a_manifest_of_a_later_version() -> None:
    """Is not guessed at."""
    with pytest.raises(CloudMLError) as refused:
        of({**FLOWERS, "schema": 2})
    assert str(refused.value) == (
        "flowers/cloudml.json has schema 2; this version reads 1.\n"
        "  Next: Install the version of cloudml-magic that exported it, or a newer one.\n"
        "[manifest-too-new]"
    )


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    """Says what would be one."""
    with pytest.raises(CloudMLError) as refused:
        read_folder(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path} holds no exported model.\n"
        "  Why:  There is neither cloudml.json nor saved_model.pb in it.\n"
        "  Next: Export a Keras model with `%ml_export MODEL`, or name the folder that holds saved_model.pb.\n"
        "[no-saved-model]"
    )


def test_a_broken_manifest_is_told_with_a_way_out() -> None:
    """Also one that is cut off."""
    content = json.dumps(FLOWERS).encode()
    with pytest.raises(CloudMLError) as refused:
        read_interface(reading(cloudml_json=content[:40]), "flowers")
    assert refused.value.reference == "manifest-unreadable"
    assert refused.value.next == (
        "Export the model again, or delete cloudml.json: then the SavedModel's own signatures are read."
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def damaged(draw: Any) -> Any:
    """The manifest with something else in one place."""
    document = json.loads(json.dumps(FLOWERS))
    place: Any = document
    while True:
        key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        inner = place[key]
        if not inner or not isinstance(inner, (dict, list)) or draw(st.booleans()):
            place[key] = draw(JSON)
            return document
        place = inner


@given(damaged())
def test_no_manifest_breaks_its_reader(document: Any) -> None:
    """Whatever stands in it: an interface, or our one error."""
    try:
        of(document)
    except CloudMLError as refused:
        assert refused.reference in {"manifest-unreadable", "manifest-too-new"}


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    """Neither as a manifest nor as a SavedModel."""
    for files in ({"cloudml_json": content}, {"saved_model_pb": content}):
        try:
            read_interface(reading(**files), "it")
        except CloudMLError as refused:
            assert refused.reference in {"manifest-unreadable", "saved-model-unreadable", "no-signature"}


def test_the_deepest_manifest_is_an_error() -> None:
    """Not the end of the process."""
    with pytest.raises(CloudMLError, match="cannot be read"):
        read_interface(reading(cloudml_json=b"[" * 200_000 + b"]" * 200_000), "it")


# --- whether it is whole ---


def whole(folder: Path) -> Path:
    import hashlib

    files = {"saved_model.pb": b"graph", "variables/variables.index": b"index"}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    (folder / "cloudml.json").write_text(json.dumps({**FLOWERS, "files": digests}))
    return folder


def test_a_whole_folder_passes(tmp_path: Path) -> None:
    """So does one that has more, such as model.keras, and one without a manifest."""
    folder = whole(tmp_path)
    (folder / "model.keras").touch()
    check_files(folder)
    (folder / "cloudml.json").unlink()
    check_files(folder)


def test_a_missing_and_a_changed_file_are_named(tmp_path: Path) -> None:
    """One sentence, and how many more."""
    folder = whole(tmp_path)
    (folder / "variables/variables.index").write_bytes(b"other")
    with pytest.raises(CloudMLError) as refused:
        check_files(folder)
    assert str(refused.value) == (
        f"The model in {folder} is not whole: variables/variables.index is not what was exported.\n"
        "  Why:  cloudml.json lists the files of the export with their digests.\n"
        "  Next: Copy the folder again, or export the model anew.\n"
        "[model-folder-incomplete]"
    )
    (folder / "saved_model.pb").unlink()
    with pytest.raises(CloudMLError) as refused:
        check_files(folder)
    assert refused.value.what == f"The model in {folder} is not whole: saved_model.pb is missing."
    assert refused.value.why.endswith("1 more file differs.")


def test_a_manifest_that_lists_nothing_readable_is_no_proof(tmp_path: Path) -> None:
    """A folder whose manifest was cut off does not pass for whole."""
    (tmp_path / "cloudml.json").write_text('{"schema": 1, "files": {"saved_mo')
    with pytest.raises(CloudMLError) as refused:
        check_files(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path / 'cloudml.json'} cannot be read.\n"
        "  Why:  It does not list the files of the export with their digests.\n"
        "  Next: Copy the folder again, or export the model anew.\n"
        "[manifest-unreadable]"
    )


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "nul\0l"])
def test_files_outside_are_not_looked_at(tmp_path: Path, name: str) -> None:
    """A manifest names files of its own folder only."""
    (tmp_path / "outside").touch()
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "cloudml.json").write_text(json.dumps({"files": {name: "ab"}}))
    with pytest.raises(CloudMLError, match="is missing"):
        check_files(folder)


@given(JSON)
def test_no_list_of_files_breaks_the_check(files: Any) -> None:
    """It passes, or our one error is raised."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "cloudml.json").write_text(json.dumps({"files": files}))
        try:
            check_files(Path(folder))
        except CloudMLError as refused:
            assert refused.reference in {"model-folder-incomplete", "manifest-unreadable"}
