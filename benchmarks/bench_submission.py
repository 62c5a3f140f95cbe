"""From Shift-Enter to the card and to the submitted job, in a kernel's shell with a notebook of 300 lines."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.measure import ROUNDS, Row, median, own_home

_PROGRAM = """
import json, sys, time
from IPython.core.interactiveshell import InteractiveShell
from benchmarks.notebooks import long_notebook

shell = InteractiveShell.instance()
shell.kernel = None
shell.run_cell("import types, sys; sys.modules.setdefault('keras', types.ModuleType('keras'))")
for cell in long_notebook(100):
    text = cell.text.replace("import keras", "").replace("%matplotlib inline", "")
    if "keras" not in text:
        shell.run_cell(text, store_history=True)
shell.run_cell("%load_ext cloudml_magic", store_history=True)
moments = []
shown = shell.display_pub.publish
def publish(*arguments, **keywords):
    moments.append(time.perf_counter())
shell.display_pub.publish = publish
figures = []
for number in range(int(sys.argv[1])):
    moments.clear()
    began = time.perf_counter()
    result = shell.run_cell("%%ml_train speed\\nprint(x.sum())", store_history=True)
    submitted = time.perf_counter() - began
    assert result.success and result.result.id, result
    figures.append((submitted, moments[0] - began))
    time.sleep(0.5)
print()  # IPython has left the prompt of a value on the line
print(json.dumps(figures))
"""


def rows() -> Iterator[Row]:
    with own_home():
        firsts = []
        for _ in range(3):
            from cloudml_magic.local_platform import lifecycle

            lifecycle.stop()
            figures = _submissions(ROUNDS + 1)
            firsts.append(figures[0][0])
        later = figures[1:]
    yield Row("first Shift-Enter to the submitted job, platform's start included", median(firsts), "s", 2)
    yield Row("later Shift-Enter to the submitted job", median([submitted for submitted, _ in later]), "s", 0.3)
    yield Row("later Shift-Enter to the card", median([card for _, card in later]), "s", 0.1)


def _submissions(count: int) -> list[list[float]]:
    command = [sys.executable, "-c", _PROGRAM, str(count)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: list[list[float]] = json.loads(answer.stdout.splitlines()[-1])
    return figures
