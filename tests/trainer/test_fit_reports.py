"""Every `fit` reports, on every backend, without a callback of the user's."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.long_counts import within

from .packages import Ran, events, package, prepared, run

pytestmark = pytest.mark.slow

DATA = "import numpy as np\nx = np.random.default_rng(0).random((64, 4), 'float32')\ny = np.arange(64) % 3\n"
MODEL = (
    "import keras\n"
    "def build(outputs=3):\n"
    "    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(outputs, activation='softmax')])\n"
    "    model.compile('sgd', 'sparse_categorical_crossentropy', metrics=['accuracy'])\n"
    "    return model\n"
)
FITS = (
    "first, model = build(), build()\n"
    "first.fit(x, y, epochs=1)\n"
    "model.fit(x, y, epochs=2, batch_size=16, validation_split=0.25,\n"
    "          callbacks=[keras.callbacks.ReduceLROnPlateau(), keras.callbacks.LambdaCallback()])\n"
    "model.evaluate(x, y)\n"
    "model.predict(x)\n"
)
BACKENDS = [
    pytest.param(name, marks=pytest.mark.skipif(not importlib.util.find_spec(name), reason=f"no {name} here"))
    for name in ("tensorflow", "jax", "torch")
]


@pytest.mark.parametrize("backend", BACKENDS)
def test_fits_are_reported_and_the_last_model_is_saved(tmp_path: Path, backend: str) -> None:
    """Events, one line per epoch in place of a progress bar, model and history."""
    ran = run(package(DATA, MODEL, FITS), tmp_path, env={"KERAS_BACKEND": backend})
    assert ran.code == 0, ran.err
    kinds = [event["kind"] for event in ran.events if event["kind"] != "step"]
    artifacts = ["artifact"] * 3  # history, model, export
    assert kinds == ["started", "device", "fit", "epoch", "fit", "epoch", "epoch", *artifacts, "finished"]
    assert ran.of("started")[0]["backend"] == backend
    assert ran.of("device")[0]["count"] >= 1
    assert [(event["fit"], event["epochs"], event["steps"]) for event in ran.of("fit")] == [(1, 1, 2), (2, 2, 3)]
    last = ran.of("epoch")[-1]
    assert (last["fit"], last["epoch"], last["epochs"]) == (2, 2, 2)
    assert set(last["metrics"]) == {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"}
    assert all(isinstance(value, float) for value in last["metrics"].values())
    lines = ran.out.splitlines()
    assert [line.split(" · ")[:2] for line in lines[:3]] == [
        ["Epoch 1/1", "2/2"],
        ["Epoch 1/2", "3/3"],
        ["Epoch 2/2", "3/3"],
    ]
    assert lines[3].startswith("Evaluation · ") and len(lines) == 4
    history = json.loads((ran.folder / "model" / "history.json").read_text())
    assert [(row["fit"], row["epoch"]) for row in history] == [(1, 1), (2, 1), (2, 2)]
    assert history[-1]["val_loss"] == last["metrics"]["val_loss"]
    assert "model.weights.h5" in zipfile.ZipFile(ran.folder / "model" / "model.keras").namelist()
    left = {path.name for path in (ran.folder / "model").iterdir()}
    assert {"history.json", "model.keras", "saved_model.pb", "cloudml.json"} <= left
    assert not any(name.endswith(".part") for name in left)


def several(tmp_path: Path, cells: dict[str, str], **told: Any) -> Ran:
    return run(package(DATA, MODEL, *cells.values()), tmp_path, env={"KERAS_BACKEND": "jax"}, **told)


def test_an_explicit_progress_bar_stays(tmp_path: Path) -> None:
    """`verbose=2` is the user's word, so our line does not come besides; the events do."""
    ran = several(tmp_path, {"fit": "model = build()\nmodel.fit(x, y, verbose=2)"})
    assert "2/2 - " in ran.out and "Epoch 1/1 · 2/2 · " not in ran.out
    assert len(ran.of("epoch")) == 1


def test_the_named_model_is_saved_and_tensorboard_files_are_written(tmp_path: Path) -> None:
    """`--model first` saves that one; event files lie in `logs`; an error after training costs no model."""
    code = "first, second = build(2 + 1), build()\nfirst.name = 'first'\nsecond.fit(x, y, validation_split=0.5)\n1 / 0"
    ran = several(tmp_path, {"fit": code}, model="first", tensorboard=True)
    config = json.loads(zipfile.ZipFile(ran.folder / "model" / "model.keras").read("config.json"))
    assert config["config"]["name"] == "first"
    assert {path.parent.name for path in (ran.folder / "logs").rglob("events.out.tfevents.*")} == {
        "train",
        "validation",
    }
    assert ran.failure["message"] == "ZeroDivisionError: division by zero"
    assert {event["artifact"] for event in ran.of("artifact")} == {"tensorboard", "history", "model", "export"}
    assert ran.code == 1


def test_a_loss_that_is_no_number_is_a_warning(tmp_path: Path) -> None:
    """The event stays JSON, and the user is told."""
    ran = several(tmp_path, {"fit": "model = build()\nmodel.fit(x * np.nan, y)"})
    assert ran.of("epoch")[0]["metrics"]["loss"] == "nan"
    assert ran.of("warning")[0]["message"].startswith("loss is not a number (nan) from epoch 1 on")


@pytest.mark.skipif(not importlib.util.find_spec("tensorflow"), reason="no tensorflow here")
def test_common_mistakes_are_explained(tmp_path: Path) -> None:
    """What TensorFlow and Keras say at length, in one sentence, with what to do."""
    cells = {
        "labels": "def fit_labels():\n    build().fit(x, y + 9)",
        "width": "def fit_width():\n    build()(x[:, :3])",
        "rank": "def fit_rank():\n    keras.Sequential([keras.layers.Conv2D(1, 2)])(x)",
        "targets": "def fit_targets():\n    m = build()\n    m.compile('sgd', 'categorical_crossentropy')\n    m.fit(x, y)",
        "file": "import tensorflow as tf\ndef read():\n    tf.io.read_file('no/where.txt')",
        "model": "def load():\n    keras.models.load_model('no.keras')",
        "memory": "def grow():\n    raise tf.errors.ResourceExhaustedError(None, None, 'OOM when allocating tensor')",
        "all": (
            "from cloudml_trainer.captured import CapturedModule\nfrom cloudml_trainer.failures import describe\n"
            "import cloudml_trainer, json, os\n"
            "captured = CapturedModule(os.path.dirname(cloudml_trainer.__file__))\n"
            "for call in (fit_labels, fit_width, fit_rank, fit_targets, read, load, grow):\n"
            "    try: call()\n"
            "    except Exception as problem:\n"
            "        found = describe(problem, captured)\n"
            "        print(json.dumps([call.__name__, found.cause, found.message, found.next, found.cell, found.line]))\n"
        ),
    }
    ran = run(package(DATA, MODEL, *cells.values()), tmp_path, env={"KERAS_BACKEND": "tensorflow"})
    told = {row[0]: row[1:] for row in map(json.loads, ran.out.splitlines())}
    assert told == {
        "fit_labels": [
            "error",
            "The last layer has 3 outputs, the labels go up to 11.",
            "Give the last layer 12 units, one per class.",
            "In [3]",
            2,
        ],
        "fit_width": [
            "error",
            "The layer 'dense_1' takes 4 values in its last dimension, its input has shape (64, 3).",
            "Look at the model's input shape and at the shape of the data.",
            "In [4]",
            2,
        ],
        "fit_rank": [
            "error",
            "The layer 'conv2d' takes 4 dimensions, its input has 2: shape (64, 4).",
            "Reshape the data, or look at the model's input shape.",
            "In [5]",
            2,
        ],
        "fit_targets": [
            "error",
            "The labels have shape (32,), the model gives (32, 3).",
            "Labels that are class numbers need a sparse loss, such as sparse_categorical_crossentropy.",
            "In [6]",
            4,
        ],
        "read": [
            "missing_file",
            "There is no file 'no/where.txt' in the job.",
            "Add --data no/where.txt to the magic's line.",
            "In [7]",
            3,
        ],
        "load": [
            "missing_file",
            "There is no file 'no.keras' in the job.",
            "Add --data no.keras to the magic's line.",
            "In [8]",
            2,
        ],
        "grow": [
            "out_of_memory",
            "Out of memory: OOM when allocating tensor",
            "Use a smaller batch_size or model, or a machine with more memory (--machine, --gpu).",
            "In [9]",
            2,
        ],
    }, ran.err


def test_sigterm_stops_at_the_next_batch_and_saves(tmp_path: Path) -> None:
    """Exit code 143, the model and the epochs so far are there, and it takes a moment only."""
    built = package(DATA, MODEL, "model = build()\nmodel.fit(x, y, epochs=100000)\nprint('after')")
    command, environment = prepared(built, tmp_path)
    process = subprocess.Popen(
        command, env=environment | {"KERAS_BACKEND": "jax"}, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Epoch 3/"):
            break
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    rest = process.stdout.read()
    assert process.wait(20) == 143
    assert time.monotonic() - began < within(10)
    assert "after" not in rest
    assert (tmp_path / "job/model/model.keras").exists()
    assert len(json.loads((tmp_path / "job/model/history.json").read_text())) >= 3
    assert not [event for event in events(tmp_path) if event["kind"] in ("failure", "finished")]
