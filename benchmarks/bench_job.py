"""A job's wall time against `python script.py` of the same code, cold and with the warm spare."""

from __future__ import annotations

import contextlib
import os
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
    """The spare is refilled when a job ends; a user's next Shift-Enter comes later than a benchmark's.

    A spare that has imported Keras and waits for its job takes no more processor time.
    """
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        before = _spare_seconds()
        time.sleep(0.5)
        if 1.0 < before == _spare_seconds():
            return
    raise TimeoutError("the spare did not become warm")


def _spare_seconds() -> float:
    """Processor seconds of the spare of this HOME's platform."""
    home = f"HOME={os.environ['HOME']}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if b"spare_child.py" not in (process / "cmdline").read_bytes():
                continue
            if home in (process / "environ").read_bytes().split(b"\0"):
                fields = (process / "stat").read_text().rpartition(")")[2].split()
                return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0
