"""Notebooks of the size that people have, made here."""

from __future__ import annotations

from cloudml_magic.history import ExecutedCell

_BUILD = """
def build(width):
    model = keras.Sequential([keras.layers.Dense(width, activation="relu"), keras.layers.Dense(10)])
    model.compile("adam", "mse")
    return model
"""


def long_notebook(count: int) -> list[ExecutedCell]:
    """Imports, data, a model, and many cells that explore: functions, frames, plots, prints."""
    texts = ["import keras\nimport numpy as np", "x = np.zeros((100, 8))\ny = np.zeros((100, 10))", _BUILD]
    texts += [_explored(number) for number in range(count - len(texts))]
    return [ExecutedCell(text, number) for number, text in enumerate(texts, 1)]


def _explored(number: int) -> str:
    match number % 5:
        case 0:
            return f"def step_{number}(value):\n    scaled = value * {number}\n    return scaled + x.sum()"
        case 1:
            return f"table_{number} = {{'a': [1, 2], 'b': list(range({number}))}}\nprint(table_{number})"
        case 2:
            return f"%matplotlib inline\nfor i in range(3):\n    print(step_{number - 2}(i))"
        case 3:
            return f"x = x + {number % 3}\nx[:, 0] = {number}"
        case _:
            return f"names_{number} = [n for n in table_{number - 3} if n != 'c']\nlen(names_{number})"


LONG_MODULE = "\n".join(f"def function_{n}(a, b):\n    return a * {n} + b\n" for n in range(100))
