"""A job that was interrupted goes on: the real runtime is killed in mid-fit and started again, on every backend."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .packages import events, package, prepared, run
from .test_fit_reports import BACKENDS, DATA, MODEL

pytestmark = pytest.mark.slow

# The first fit ends early and keeps its best weights; the second one waits in mid-fit where it is to be killed.
# Each epoch leaves a checkpoint, where a job otherwise lets some seconds pass.
FITS = """
import os, time
from cloudml_trainer import checkpoints
checkpoints._SECONDS_BETWEEN = checkpoints._SHARE_OF_TIME = 0
class Held(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1 and "HELD" in os.environ:
            time.sleep(300)
stopping = keras.callbacks.EarlyStopping("loss", patience=0, min_delta=10.0, restore_best_weights=True)
first = build()
one = first.fit(x, y, epochs=9, callbacks=[stopping])
print("FIRST", one.epoch, len(one.history["loss"]), float(keras.ops.sum(first.trainable_weights[0])))
second = build()
two = second.fit(x, y, epochs=6, batch_size=16, validation_split=0.25, callbacks=[Held()])
print("SECOND", two.epoch, sorted(two.history), len(two.history["loss"]), int(second.optimizer.iterations.numpy()
      if hasattr(second.optimizer.iterations, "numpy") else second.optimizer.iterations))
third = second.fit(x, y, epochs=1)
print("THIRD", third.epoch)
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_training_goes_on_where_it_was_killed(tmp_path: Path, backend: str) -> None:
    """Fits that were done are skipped with their weights and histories; no epoch is lost or counted twice."""
    built = package(DATA, MODEL, FITS)
    command, environment = prepared(built, tmp_path, resume=True)
    environment |= {"KERAS_BACKEND": backend, "HELD": "yes"}
    with (tmp_path / "first.log").open("wb") as log:
        killed = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=log, stderr=log)
        checkpoint = tmp_path / "job/checkpoints/cloudml/fit-2/state.json"
        deadline = time.monotonic() + 150
        while not checkpoint.exists():
            assert killed.poll() is None and time.monotonic() < deadline, (tmp_path / "first.log").read_text()
            time.sleep(0.02)
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    done = json.loads(checkpoint.read_text())["epoch"]
    assert 1 <= done < 6
    first_run = (tmp_path / "first.log").read_text().splitlines()
    before = len(events(tmp_path))

    ran = run(built, tmp_path, env={"KERAS_BACKEND": backend}, resume=True)
    assert ran.code == 0, ran.err
    said = ran.out.splitlines()
    (one,) = (line for line in first_run if line.startswith("FIRST"))
    assert one in said  # the best weights of the fit that had ended early, and its history
    (two,) = (line for line in said if line.startswith("SECOND"))
    names = ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert two == f"SECOND {list(range(6))} {names} 6 {6 * 3}"  # all steps of the optimizer, none twice
    assert "THIRD [0]" in said
    again = ran.events[before:]
    assert [(event["fit"], event.get("done")) for event in again if event["kind"] == "fit"] == [
        (1, 2), (2, done), (3, None),
    ]  # fmt: skip
    assert [event["epoch"] for event in again if event["kind"] == "epoch"] == [*range(done + 1, 7), 1]
    history = json.loads((ran.folder / "model/history.json").read_text())
    assert [(row["fit"], row["epoch"]) for row in history] == [
        (1, 1), (1, 2), *((2, epoch) for epoch in range(1, 7)), (3, 1),
    ]  # fmt: skip
    assert not (ran.folder / "checkpoints/cloudml").exists()


def test_a_checkpoint_of_another_model_is_no_checkpoint(tmp_path: Path) -> None:
    """It says so, and trains from the beginning."""
    folder = tmp_path / "job/checkpoints/cloudml/fit-1"
    (folder / "epoch-2").mkdir(parents=True)
    (folder / "epoch-2/latest.weights.h5").write_bytes(b"not a file of weights")
    (folder / "state.json").write_text(json.dumps({"epoch": 2, "weights": "epoch-2"}))
    ran = run(package(DATA, MODEL, "build().fit(x, y, epochs=3)"), tmp_path, env={"KERAS_BACKEND": "jax"})
    assert ran.code == 0, ran.err
    assert [event["epoch"] for event in ran.of("epoch")] == [1, 2, 3]
    assert ran.of("warning")[0]["message"].startswith("The checkpoint of fit 1 does not fit this model, which is")


def test_what_was_half_written_is_never_read(tmp_path: Path) -> None:
    """Files without the state that names them are what a kill in mid-save leaves."""
    folder = tmp_path / "job/checkpoints/cloudml/fit-1/epoch-2"
    folder.mkdir(parents=True)
    (folder / "latest.weights.h5.part").write_bytes(b"half")
    ran = run(package(DATA, MODEL, "build().fit(x, y, epochs=2)"), tmp_path, env={"KERAS_BACKEND": "jax"})
    assert ran.code == 0 and not ran.of("warning"), ran.err
    assert [event["epoch"] for event in ran.of("epoch")] == [1, 2]


def test_an_ordinary_job_leaves_no_checkpoint(tmp_path: Path) -> None:
    """Where nobody will restart it, training costs nothing more."""
    ran = run(package(DATA, MODEL, "build().fit(x, y, epochs=2)"), tmp_path, env={"KERAS_BACKEND": "jax"})
    assert ran.code == 0 and not (ran.folder / "checkpoints").exists()
