"""Reading a folder of pictures by a job's path, against the local folder that was sent, in one job's process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row, own_home, ratio

_PICTURES = 2000
_SIDE = 96
# Both folders take turns in one process: two processes differ by more than the bar on a machine that does other things.
_READING = f"""
import time
import keras

def seconds(folder):
    began = time.perf_counter()
    for _ in keras.utils.image_dataset_from_directory(folder, image_size=({_SIDE}, {_SIDE}), verbose=False):
        pass
    return time.perf_counter() - began

for folder in ("Train", LOCAL):
    seconds(folder)
for _ in range(15):
    print("seconds", seconds("Train"), seconds(LOCAL))
"""


def rows() -> Iterator[Row]:
    from cloudml_magic import train

    with own_home() as home:
        _draw(home / "Train")
        before = Path.cwd()
        os.chdir(home)
        try:
            job = train(f"LOCAL = {str(home / 'Train')!r}\n{_READING}", name="reading", data="Train", wait=True)
        finally:
            os.chdir(before)
        pairs = [line.split()[1:] for line in job.logs() if line.startswith("seconds ")]
        through, straight = ([float(pair[place]) for pair in pairs] for place in (0, 1))
        yield Row(
            "image_dataset_from_directory by the job's path, against the folder", ratio(through, straight), "×", 1.05
        )


def _draw(folder: Path) -> None:
    """Pictures of noise, in folders of ten classes."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(1)
    for index in range(_PICTURES):
        file = folder / f"class {index % 10}" / f"{index}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (_SIDE, _SIDE, 3), dtype=np.uint8)).save(file, quality=90)
