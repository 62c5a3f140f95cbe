"""A SavedModel computes and does nothing else: what TensorFlow and Keras write passes, what reaches out is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudml_magic.errors import CloudMLError
from cloudml_magic.model_folder import check_operations

pytestmark = pytest.mark.slow
_SAVE = """
import sys
from pathlib import Path
import keras, numpy as np, tensorflow as tf
place = Path(sys.argv[1])
text = tf.TensorSpec([None], tf.string)

def save(name, function, **members):
    module = tf.Module()
    for key, value in members.items():
        setattr(module, key, value)
    module.asked = tf.function(function, input_signature=[text])
    tf.saved_model.save(module, str(place / name), signatures=module.asked)

def saves(x):
    tf.raw_ops.SaveV2(prefix="/tmp/x", tensor_names=["x"], shape_and_slices=[""], tensors=[x])
    return x

def write(x):
    tf.io.write_file("/tmp/x", "x")
    return x

def logged(x):
    tf.print(x)
    return x

def printed(x):
    tf.print(x, output_stream="file:///tmp/x")
    return x

keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).export(place / "dense", verbose=False)
words = keras.layers.TextVectorization(max_tokens=50)
words.adapt(["a b c"])
keras.Sequential([keras.Input((1,), dtype="string"), words]).export(place / "words", verbose=False)
lookup = keras.layers.StringLookup(vocabulary=["x", "y"])
keras.Sequential([keras.Input((1,), dtype="string"), lookup]).export(place / "lookup", verbose=False)
vocabulary = place / "vocabulary.txt"
vocabulary.write_text("a\\nb\\n")
lines, numbers = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
table = tf.lookup.StaticHashTable(
    tf.lookup.TextFileInitializer(str(vocabulary), tf.string, lines, tf.int64, numbers), -1)
save("asset", lambda x: table.lookup(x), table=table, weight=tf.Variable(1.0))
save("logged", logged)
v1 = tf.compat.v1
with tf.Graph().as_default(), v1.Session() as session:
    x = v1.placeholder(tf.float32, [None, 3])
    y = tf.matmul(x, v1.get_variable("w", [3, 2]))
    session.run(v1.global_variables_initializer())
    v1.saved_model.simple_save(session, str(place / "old"), {"x": x}, {"y": y})
save("write", write)
save("read", lambda x: tf.map_fn(tf.io.read_file, x))
save("python", lambda x: tf.py_function(lambda y: y, [x], tf.string))
save("records", lambda x: tf.data.TFRecordDataset(x).reduce("", lambda a, b: a + b))
save("list", lambda x: tf.io.matching_files(x))
save("saves", saves)
save("restores", lambda x: tf.raw_ops.RestoreV2(
    prefix="/tmp/x", tensor_names=x, shape_and_slices=x, dtypes=[tf.string])[0])
save("printed", printed)
# The function that the signature calls takes the name of TensorFlow's own.
content = (place / "saves" / "saved_model.pb").read_bytes()
message = __import__("tensorflow.core.protobuf.saved_model_pb2", fromlist=["x"]).SavedModel.FromString(content)
[graph] = message.meta_graphs
[called] = [f for f in graph.graph_def.library.function if f.signature.name.startswith("__inference_saves")]
renamed = called.signature.name
own = [f.signature.name for f in graph.graph_def.library.function if "traced_save" in f.signature.name][0]
(place / "renamed").mkdir()
wrong = "__inference__traced_save_1"
called.signature.name = wrong
for function in graph.graph_def.library.function:
    for node in function.node_def:
        if "f" in node.attr and node.attr["f"].func.name == renamed:
            node.attr["f"].func.name = wrong
[saver] = [f for f in graph.graph_def.library.function if f.signature.name == own]
graph.graph_def.library.function.remove(saver)
(place / "renamed" / "saved_model.pb").write_bytes(message.SerializeToString())
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SavedModels, good and hostile, as TensorFlow writes them."""
    place = tmp_path_factory.mktemp("saved")
    done = subprocess.run([sys.executable, "-c", _SAVE, str(place)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return place


@pytest.mark.parametrize("name", ["dense", "words", "lookup", "asset", "logged", "old"])
def test_what_tensorflow_and_keras_write_passes(saved: Path, name: str) -> None:
    """With its saver's functions, its tables and their assets."""
    check_operations(saved / name)


@pytest.mark.parametrize(
    ("name", "operation", "does"),
    [
        ("write", "WriteFile", "writes files"),
        ("read", "ReadFile", "reads files"),
        ("python", "EagerPyFunc", "runs Python"),
        ("records", "TFRecordDataset", "reads files"),
        ("list", "MatchingFiles", "reads files"),
        ("saves", "SaveV2", "writes files"),
        ("restores", "RestoreV2", "reads files"),
        ("printed", "PrintV2", "writes files"),
        ("renamed", "SaveV2", "writes files"),
    ],
)
def test_what_reaches_out_is_refused_by_name(saved: Path, name: str, operation: str, does: str) -> None:
    """Wherever in the model it is, and whatever the function that holds it is called."""
    with pytest.raises(CloudMLError) as refused:
        check_operations(saved / name, "gs://b/m")
    error = refused.value
    assert error.reference == "model-reaches-out"
    assert error.what.startswith(f"The model in gs://b/m does more than compute: it has the operation {operation} in ")
    assert error.why == (
        f"{operation} {does}. Whoever made the model chose that, and it would happen with your rights."
    )
    assert error.next == "If the model is your own, `--trust` serves it."


def test_another_form_of_the_file_is_refused(saved: Path, tmp_path: Path) -> None:
    """TensorFlow would load it, unread."""
    (tmp_path / "saved_model.pbtxt").write_text("")
    with pytest.raises(CloudMLError, match=r"it is written as saved_model\.pbtxt"):
        check_operations(tmp_path)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_damage_breaks_the_reader(
    saved: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """It reads, or refuses in words."""
    content = bytearray((saved / "dense" / "saved_model.pb").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "saved_model.pb").write_bytes(content)
    try:
        check_operations(folder)
    except CloudMLError as refused:
        assert refused.reference in {"saved-model-unreadable", "model-reaches-out"}
