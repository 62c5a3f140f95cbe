"""%load_ext cloudml_magic inside a running IPython, beside the original's."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec

from benchmarks.measure import Row, median, ratio, side_by_side

_PROGRAM = """
import json, sys, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("1 + 1")
before = set(sys.modules)
began = time.perf_counter()
shell.run_line_magic("load_ext", sys.argv[1])
took = time.perf_counter() - began
assert shell.find_line_magic("ml_init"), sys.argv[1]
print(json.dumps([took, sorted({name.partition(".")[0] for name in set(sys.modules) - before})]))
"""
_HEAVY = {"google", "googleapiclient", "tensorflow", "keras", "numpy", "pandas", "requests", "httplib2"}


def rows() -> Iterator[Row]:
    ours = lambda: _load("cloudml_magic")[0]  # noqa: E731
    if find_spec("cloudmlmagic"):
        mine, theirs = side_by_side(ours, lambda: _load("cloudmlmagic.cloudmlmagic")[0])
        yield Row("%load_ext, against the original 0.0.5", ratio(mine, theirs), "×", 0.1)
    else:
        (mine,) = side_by_side(ours)
    yield Row("%load_ext cloudml_magic", median(mine) * 1000, "ms", 15)
    heavy = _HEAVY & set(_load("cloudml_magic")[1])
    yield Row("heavy libraries imported by it", len(heavy), "", 0)


def _load(extension: str) -> tuple[float, list[str]]:
    answer = subprocess.run([sys.executable, "-c", _PROGRAM, extension], capture_output=True, text=True, check=True)
    took, modules = json.loads(answer.stdout.splitlines()[-1])
    return took, modules
