"""The signatures of a `saved_model.pb`, read by hand as TensorFlow itself reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudml_magic.errors import CloudMLError
from cloudml_magic.model_folder import check_files, read_folder, read_interface
from cloudml_magic.model_folder.saved_model import read_saved_model

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel with several signatures and many dtypes, written without Keras."""
    import tensorflow as tf

    class Module(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.weight = tf.Variable([[1.0], [2.0]])

        @tf.function(input_signature=[tf.TensorSpec((None, 2), tf.float32, "x"), tf.TensorSpec((), tf.string, "word")])
        def one(self, x: Any, word: Any) -> Any:
            return {"y": x @ self.weight, "length": tf.strings.length(word)}

        @tf.function(
            input_signature=[
                tf.TensorSpec((None, None, 3), tf.uint8, "b"),
                tf.TensorSpec(None, tf.int64, "a"),
                tf.TensorSpec((4, 1 << 40), tf.bool, "c"),
                tf.TensorSpec((None,), tf.bfloat16, "d"),
                tf.TensorSpec((None,), tf.float16, "e"),
                tf.TensorSpec((None,), tf.float64, "f"),
            ]
        )
        def many(self, b: Any, a: Any, c: Any, d: Any, e: Any, f: Any) -> Any:
            return {"b": b, "a": a, "c": c, "d": d, "e": e, "f": f}

    module = Module()
    path = tmp_path_factory.mktemp("model")
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.one, "many": module.many})
    return path


def test_it_is_what_tensorflow_reads(folder: Path) -> None:
    """Names, dtypes and shapes of every signature, and the version that wrote them."""
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    expected = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    [graph] = expected.meta_graphs
    interface = read_folder(folder)
    assert set(interface.signatures) == {"serving_default", "many"}
    assert interface.tensorflow == tf.__version__
    for name, signature in interface.signatures.items():
        for ours, theirs in (
            (signature.inputs, graph.signature_def[name].inputs),
            (signature.outputs, graph.signature_def[name].outputs),
        ):
            assert [spec.name for spec in ours] == sorted(theirs)
            for spec in ours:
                info = theirs[spec.name]
                assert spec.dtype == tf.dtypes.as_dtype(info.dtype).name
                sizes = [dimension.size for dimension in info.tensor_shape.dim]
                assert spec.shape == tuple(None if size < 0 else size for size in sizes)


def test_a_model_without_signatures_says_so(tmp_path: Path) -> None:
    """With what was left out when it was saved."""
    import tensorflow as tf

    tf.saved_model.save(tf.Module(), str(tmp_path))
    with pytest.raises(CloudMLError) as refused:
        read_folder(tmp_path)
    assert str(refused.value) == (
        f"The SavedModel in {tmp_path} has no signature, so nothing can be asked of it.\n"
        "  Why:  It was saved without `signatures`, as `tf.saved_model.save` does unless it is told.\n"
        "  Next: Export it with `%ml_export MODEL`, or with Keras's `model.export(FOLDER)`.\n"
        "[no-signature]"
    )


def _read(content: bytes) -> None:
    try:
        read_interface(lambda name: content if name == "saved_model.pb" else None, "it")
    except CloudMLError as refused:
        assert refused.reference in {"saved-model-unreadable", "no-signature"}


def test_a_file_that_was_cut_off_is_an_error(folder: Path) -> None:
    """Wherever it was cut: never half of the signatures as if they were all, but for a cut between whole fields."""
    content = (folder / "saved_model.pb").read_bytes()
    whole, _ = read_saved_model(content)
    step = max(1, len(content) // 300)
    for length in range(1, len(content), step):
        with pytest.raises(CloudMLError) as refused:
            read_interface(lambda name, cut=content[:length]: cut if name == "saved_model.pb" else None, "it")  # type: ignore[misc]
        assert refused.value.reference in {"saved-model-unreadable", "no-signature"}
    assert len(whole) == 2


@settings(max_examples=200)
@given(st.data())
def test_no_damage_breaks_the_reader(smallest: bytes, data: Any) -> None:
    """Bytes changed, taken out and put in."""
    content = bytearray(smallest)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        taken_out = data.draw(st.integers(0, 3))
        content[at : at + taken_out] = data.draw(st.binary(max_size=3))
    _read(bytes(content))


@pytest.fixture(scope="module")
def smallest(folder: Path) -> bytes:
    """The signatures of the model without its graph, so that damage hits what is read."""
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    graph = model.meta_graphs[0]
    graph.ClearField("graph_def")
    graph.ClearField("object_graph_def")
    graph.meta_info_def.ClearField("stripped_op_list")
    content: bytes = model.SerializeToString()
    assert set(read_saved_model(content)[0]) == {"serving_default", "many"}
    return content


def test_a_folder_without_its_weights_is_not_whole(folder: Path, tmp_path: Path) -> None:
    """Found by looking, before TensorFlow is started to load it."""
    check_files(folder)
    (tmp_path / "saved_model.pb").write_bytes((folder / "saved_model.pb").read_bytes())
    with pytest.raises(CloudMLError) as refused:
        check_files(tmp_path)
    assert str(refused.value) == (
        f"The model in {tmp_path} is not whole: variables/variables.index is missing.\n"
        "  Why:  saved_model.pb holds the computation only; the weights lie in variables/.\n"
        "  Next: Copy the whole folder, with variables/ and assets/, or export the model anew.\n"
        "[model-folder-incomplete]"
    )
