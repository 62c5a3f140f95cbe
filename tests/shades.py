"""A notebook's pictures of three colours, which a model learns in a moment: code of a cell that others go on from."""

SHADES = """
import keras
import numpy as np
from pathlib import Path
from PIL import Image

COLOURS = ["red", "green", "blue"]
noise = np.random.default_rng(3)

def shade(kind):
    "A picture of one colour, on noise."
    picture = noise.integers(0, 60, (12, 12, 3))
    picture[:, :, kind] += 150
    return picture.astype("uint8")

y = np.arange(150) % 3
x = np.stack([shade(kind) for kind in y]).astype("float32")
for name in COLOURS:
    Path("Test", name).mkdir(parents=True)
# One that lies where it does not belong.
Image.fromarray(shade(2)).save("Test/green/lost.png")
"""
