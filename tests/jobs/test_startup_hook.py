"""Inside a job, gs:// and /gcs/ addresses are the bucket's folder; docs/local_paths.md is this list in words."""

from __future__ import annotations

import importlib.util

import pytest

from cloudml_magic.states import JobState

from .conftest import Bench, container

PYTHON = """
import glob, io, os, pathlib, shutil, tempfile
open("gs://bucket/a/b.txt", "w").write("hi")
assert open("/gcs/bucket/a/b.txt").read() == io.open(b"gs://bucket/a/b.txt").read() == "hi"
assert os.path.exists("gs://bucket/a/b.txt") and os.path.isdir("gs://bucket/a") and os.path.getsize("/gcs/bucket/a/b.txt") == 2
assert os.listdir("gs://bucket/a") == [entry.name for entry in os.scandir("gs://bucket/a")] == ["b.txt"]
assert glob.glob("gs://bucket/*/*.txt") == ["gs://bucket/a/b.txt"]
os.makedirs("gs://bucket/x/y", exist_ok=True)
shutil.copy("gs://bucket/a/b.txt", "gs://bucket/x/y/c.txt")
os.rename("gs://bucket/x/y/c.txt", "/gcs/bucket/x/y/d.txt")
path = pathlib.Path("gs://bucket/x/y/d.txt")
assert path.read_text() == "hi" and path.exists() and [p.name for p in pathlib.Path("/gcs/bucket/x").rglob("*.txt")] == ["d.txt"]
assert [files for _, _, files in os.walk("gs://bucket/x")] == [[], ["d.txt"]]
shutil.copytree("gs://bucket/x", "here"); assert open("here/y/d.txt").read() == "hi"
shutil.rmtree("gs://bucket/x"); assert not os.path.exists("gs://bucket/x")
os.remove("gs://bucket/a/b.txt"); assert os.listdir("gs://bucket/a") == []
try:
    open("gs://bucket/none.txt")
except FileNotFoundError as problem:
    print(problem)
try:
    open("gs://bucket/../../out.txt", "w")
except OSError as problem:
    print(type(problem).__name__)
try:
    open("gs://no-such-bucket/x", "w")
except OSError as problem:
    print(type(problem).__name__)
"""

LIBRARIES = """
import os
import numpy as np, pandas as pd, h5py, tensorflow as tf, keras
np.save("gs://bucket/n/x.npy", np.arange(3)); assert np.load("/gcs/bucket/n/x.npy").sum() == 3
np.savetxt("gs://bucket/n/x.txt", np.arange(3)); assert np.loadtxt("gs://bucket/n/x.txt").sum() == 3
pd.DataFrame({"a": [1]}).to_csv("gs://bucket/n/d.csv"); assert len(pd.read_csv("gs://bucket/n/d.csv")) == 1
with h5py.File("gs://bucket/h/x.h5", "w") as file: file["a"] = 1
tf.io.gfile.makedirs("gs://bucket/t")
with tf.io.gfile.GFile("gs://bucket/t2/z.txt", "w") as file: file.write("l1\\nl2\\n")
assert tf.io.gfile.listdir("gs://bucket/t2") == ["z.txt"] and len(tf.io.gfile.glob("gs://bucket/t2/*")) == 1
assert tf.io.gfile.exists("gs://bucket/t2/z.txt") and [f for _, _, f in tf.io.gfile.walk("gs://bucket/t2")] == [["z.txt"]]
assert tf.io.read_file("gs://bucket/t2/z.txt").numpy() == b"l1\\nl2\\n"
assert [line.numpy() for line in tf.data.TextLineDataset("gs://bucket/t2/z.txt")] == [b"l1", b"l2"]
assert [line.numpy() for line in tf.data.TextLineDataset(["/gcs/bucket/t2/z.txt"])] == [b"l1", b"l2"]
assert len(list(tf.data.Dataset.list_files("gs://bucket/t2/*").map(tf.io.read_file))) == 1
assert len(list(tf.data.Dataset.from_tensor_slices(["gs://bucket/t2/z.txt"]).map(tf.io.read_file))) == 1
with tf.io.TFRecordWriter("gs://bucket/t3/r.tfrecord") as writer: writer.write(b"abc")
assert [record.numpy() for record in tf.data.TFRecordDataset("gs://bucket/t3/r.tfrecord")] == [b"abc"]
model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)]); model.compile("sgd", "mse")
model.save("gs://bucket/m/m.keras"); keras.models.load_model("gs://bucket/m/m.keras")
model.save_weights("gs://bucket/m/m.weights.h5"); model.load_weights("gs://bucket/m/m.weights.h5")
model.save("gs://bucket/m/m.h5")
model.export("gs://bucket/m/saved"); tf.saved_model.load("gs://bucket/m/saved")
checkpoint = tf.train.Checkpoint(model=model); checkpoint.save("gs://bucket/ck/c")
checkpoint.restore(tf.train.latest_checkpoint("gs://bucket/ck")).assert_consumed()
writer = tf.summary.create_file_writer("gs://bucket/tb")
with writer.as_default(): tf.summary.write("x", 1.0, step=0)
writer.close(); assert len(tf.io.gfile.listdir("gs://bucket/tb")) == 1
callbacks = [keras.callbacks.ModelCheckpoint("gs://bucket/cp/{epoch}.keras"), keras.callbacks.CSVLogger("gs://bucket/cp/log.csv")]
model.fit(np.zeros((4, 2)), np.zeros(4), callbacks=callbacks, verbose=0)
assert sorted(os.listdir("gs://bucket/cp")) == ["1.keras", "log.csv"]
for kind in "ab":
    tf.io.write_file(f"gs://bucket/im/{kind}/1.png", tf.io.encode_png(tf.zeros((4, 4, 3), tf.uint8)))
assert len(list(keras.utils.image_dataset_from_directory("gs://bucket/im", image_size=(4, 4)))) == 1
print("all")
"""


def test_python_reads_and_writes_buckets_by_address(bench: Bench) -> None:
    """open, os, glob, pathlib, shutil; errors name the address; nothing leads out of the bucket."""
    job = bench.run(container("python3", "-c", PYTHON))
    assert job.state is JobState.SUCCEEDED, job.error
    assert bench.log(job.id).splitlines() == [
        "[Errno 2] No such file or directory: 'gs://bucket/none.txt'",
        "FileNotFoundError",
        "FileNotFoundError",
    ]
    assert not (bench.buckets.parent / "out.txt").exists()


def test_child_processes_are_mapped_too(bench: Bench) -> None:
    """Also those that a shell starts."""
    job = bench.run(container("sh", "-c", "python3 -c \"open('gs://bucket/c.txt', 'w').write('x')\""))
    assert job.state is JobState.SUCCEEDED
    assert (bench.buckets / "bucket" / "c.txt").read_text() == "x"


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("tensorflow"), reason="no tensorflow here")
def test_libraries_read_and_write_buckets_by_address(bench: Bench) -> None:
    """NumPy, pandas, h5py, TensorFlow (files, datasets, records, checkpoints, SavedModel, summaries) and Keras."""
    job = bench.run(container("python3", "-c", LIBRARIES), seconds=120)
    assert job.state is JobState.SUCCEEDED, job.error
    assert bench.log(job.id).splitlines()[-1] == "all"


def test_another_sitecustomize_runs_too(bench: Bench, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """The hook stands before an environment's own, not in its place."""
    (tmp_path / "sitecustomize.py").write_text("print('theirs')\n")
    job = bench.run(container("python3", "-c", "print('code')", env={"PYTHONPATH": str(tmp_path)}))
    assert bench.log(job.id).splitlines() == ["theirs", "code"]
