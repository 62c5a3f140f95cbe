"""A job's wall time against `python script.py` of the same code, cold and with the warm spare."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row, own_home, ratio, seconds, side_by_side
from cloudml_magic.local_platform import lifecycle

CODE = """
import numpy as np
import keras
random = np.random.default_rng(1)
x, y = random.random((20000, 784), dtype="float32"), random.integers(0, 10, 20000)
model = keras.Sequential([keras.layers.Dense(512, "relu"), keras.layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=3, batch_size=128, verbose=0)
model.save("model.keras")
"""


def rows() -> Iterator[Row]:
    with own_home() as home:
        script = home / "script.py"
        script.write_text(CODE)
        settings = lifecycle.PlatformSettings.from_environment({"CLOUDML_PLATFORM_SPARE": "off"})
        lifecycle.ensure_running(settings=settings)
        cold, peer = side_by_side(_job, lambda: _script(script))
        yield Row("job's wall time, cold, against python script.py", ratio(cold, peer), "×", 1.0)
        lifecycle.stop()
        lifecycle.ensure_running()
        warm, peer = side_by_side(_warm_job, lambda: _script(script))
        yield Row("job's wall time, warm spare, against python script.py", ratio(warm, peer), "×", 0.5)


def _script(script: Path) -> float:
    return seconds(
        lambda: subprocess.run([sys.executable, str(script)], cwd=script.parent, check=True, capture_output=True)
    )


def _job() -> float:
    from cloudml_magic import train

    return seconds(lambda: train(CODE, name="wall", wait=True))


def _warm_job() -> float:
    _until_warm()
    return _job()


def _until_warm() -> None:
    """The spare is refilled when a job ends; a user's next Shift-Enter comes later than a benchmark's."""
    from cloudml_magic.places import PlatformPlaces

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if any(PlatformPlaces.of_this_user().spare.rglob("ready*")):
            return
        time.sleep(0.1)
    raise TimeoutError("the spare did not become warm")
