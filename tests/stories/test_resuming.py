"""A user trains on a machine that is taken away: real kernel, real platform, and a real `kill -9` in mid-fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from real_notebook import Notebook

pytestmark = pytest.mark.slow

TRAIN = """%%ml_train preempted --spot --into job
import os, time
from pathlib import Path
import keras, numpy as np
print("process", os.getpid())
x, y = np.random.default_rng(0).random((64, 4)), np.arange(64) % 3
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
def wait(epoch, logs):
    "Until a checkpoint is due, and then for the end."
    began = time.monotonic()
    while Path(held).exists() and (epoch == 2 or epoch == 0 and time.monotonic() - began < 5):
        time.sleep(0.05)
history = model.fit(x, y, epochs=5, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=wait)])
print("epochs", len(history.history["loss"]))
"""
PREEMPT = """
import os, signal, time
deadline = time.monotonic() + 120
while not any("cloudml/fit-1/state.json" in name for name in job.artifacts()) and time.monotonic() < deadline:
    time.sleep(0.05)
(process,) = [line.split()[1] for line in job.logs() if line.startswith("process")]
os.kill(int(process), signal.SIGKILL)
os.remove(held)
job.wait()
print(job.state, len(job.history), [line for line in job.logs() if line.startswith("epochs")])
"""


def test_a_preempted_training_goes_on_and_its_card_says_so(kernel: Notebook, tmp_path: Path) -> None:
    """No epoch is lost or told twice; the log goes on; nothing is left of the checkpoints."""
    held = tmp_path / "held"
    held.touch()
    assert not kernel.run(f"held = {str(held)!r}").error
    sent = kernel.run(TRAIN)
    assert not sent.error, sent.error
    outcome = kernel.run(PREEMPT)
    assert outcome.printed.strip() == "SUCCEEDED 5 ['epochs 5']", outcome.error
    logs = kernel.run("%ml_logs preempted").printed
    assert logs.count("process ") == 2 and "The machine was taken away; the job begins again (1 of 6)." in logs
    assert "Interrupted once, resumed at epoch" in str(kernel.run("%ml_wait preempted").displays)
    assert kernel.run("print([name for name in job.artifacts() if 'checkpoints' in name])").printed.strip() == "[]"
