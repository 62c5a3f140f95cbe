"""What a job leaves, and what it says where it cannot be left."""

from __future__ import annotations

from pathlib import Path

from .packages import package, run

NET = """
import errno, shutil

class Net:
    def save(self, path):
        open(path, "wb").write(b"model")
    def save_weights(self, path):
        {weights}

net = Net()
"""
MOVE = """
def move(path, part):
    with open(part, "wb") as file:
        file.write(b"half a model")
    raise OSError(errno.ENOSPC, "No space left on device")
shutil.move = move
"""
SENTENCE = "The model could not be saved: the disk is full. Free space, then submit the job again."


def test_a_model_that_finds_no_room_fails_the_job(tmp_path: Path) -> None:
    """A job that cannot deliver its model for a full disk has failed, says so with the next step, and frees its part."""
    ran = run(package(NET.format(weights="raise ValueError('no weights')"), MOVE), tmp_path, model="net")
    assert ran.code == 1
    told = ran.failure
    assert (told["cause"], told["message"], told["next"]) == (
        "disk_full",
        "The model could not be saved: the disk is full.",
        "Free space, then submit the job again.",
    )
    assert ran.err.rstrip().endswith(SENTENCE)
    assert ran.of("finished") == [] and ran.of("artifact") == []
    assert list((ran.folder / "model").iterdir()) == []


def test_weights_that_find_room_are_kept(tmp_path: Path) -> None:
    """Where only the weights fit, the job delivers them and warns."""
    saving = 'import os; os.makedirs(os.environ["AIP_MODEL_DIR"], exist_ok=True); open(path, "wb").write(b"w")'
    full = "def save(self, path):\n    open('/dev/full', 'wb', buffering=0).write(b'x')\nNet.save = save"
    ran = run(package(NET.format(weights=saving), full), tmp_path, model="net")
    assert ran.code == 0, ran.err
    assert ran.of("warning")[0]["message"] == (
        "Only the model's weights could be saved (OSError: [Errno 28] No space left on device)."
    )
    assert [path.name for path in (ran.folder / "model").iterdir()] == ["model.weights.h5"]


def test_a_model_that_cannot_be_saved_at_all_is_a_warning(tmp_path: Path) -> None:
    """Trying again would not help: the job is not lost for it."""
    broken = "def save(self, path):\n    raise TypeError('not serializable')\nNet.save = Net.save_weights = save"
    ran = run(package(NET.format(weights="pass"), broken), tmp_path, model="net")
    assert ran.code == 0, ran.err
    assert ran.of("warning")[0]["message"] == "The model could not be saved: TypeError: not serializable."
