"""Reading a folder of pictures by a job's path, against a plain program in the folder that it was sent from."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row, own_home, ratio, side_by_side

_PICTURES = 2000
_SIDE = 96
_PROCESSES = 3
# Each process reads several times, after once that warms it up; the fastest reading is disturbed least.
_READING = f"""
import time
import keras

def seconds():
    began = time.perf_counter()
    for _ in keras.utils.image_dataset_from_directory("Train", image_size=({_SIDE}, {_SIDE}), verbose=False):
        pass
    return time.perf_counter() - began

seconds()
print("seconds", min(seconds() for _ in range(7)))
"""


def rows() -> Iterator[Row]:
    with own_home() as home:
        _draw(home / "Train")
        before = Path.cwd()
        os.chdir(home)
        try:
            job, program = side_by_side(_in_job, _in_program, rounds=_PROCESSES)
        finally:
            os.chdir(before)
        yield Row("image_dataset_from_directory in a job, against the local folder", ratio(job, program), "×", 1.05)


def _draw(folder: Path) -> None:
    """Pictures of noise, in folders of ten classes."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(1)
    for index in range(_PICTURES):
        file = folder / f"class {index % 10}" / f"{index}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (_SIDE, _SIDE, 3), dtype=np.uint8)).save(file, quality=90)


def _in_job() -> float:
    from cloudml_magic import train

    return _told(train(_READING, name="reading", data="Train", wait=True).logs())


def _in_program() -> float:
    done = subprocess.run([sys.executable, "-c", _READING], check=True, capture_output=True, text=True)
    return _told(done.stdout.splitlines())


def _told(lines: list[str]) -> float:
    return next(float(line.split()[1]) for line in lines if line.startswith("seconds "))
