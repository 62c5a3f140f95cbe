"""The module that a capture becomes, and the map back to the cells."""

from __future__ import annotations

import pytest

from cloudml_magic.source import render_module

from .capturing import captured, module_of

PAIRS = {
    "statements keep their text, their comments, their cells": (
        ["import keras\n\n\nEPOCHS = 3  # few", "def build(w):  # small\n    # one layer\n    return keras.Sequential([w])", "%%ml_train a\nm = build(1); m.fit(epochs=EPOCHS)"],
        "# %% cell 1\nimport keras\nEPOCHS = 3\n\n# %% cell 2\ndef build(w):  # small\n    # one layer\n    return keras.Sequential([w])\n\n"
        "# %% cell 3\nm = build(1)\nm.fit(epochs=EPOCHS)\n",
    ),
    "future imports come first, once": (
        ["from __future__ import annotations", "from __future__ import annotations\nx = 1", "print(x)"],
        "from __future__ import annotations\n\n# %% cell 1\nx = 1\n\n# %% cell 2\nprint(x)\n",
    ),
    "a display is a print": (["display(1)"], "display = print\n\n# %% cell 1\ndisplay(1)\n"),
    "text over several lines": (["x = '''\n  %foo\n\n!ls'''\nprint(x)"], "# %% cell 1\nx = '''\n  %foo\n\n!ls'''\nprint(x)\n"),
    "a timed training": (["m = []", "%%time\n%time m.append(1)\n!date"], "# %% cell 1\nm = []\n\n# %% cell 2\nm.append(1)\n"),
}  # fmt: skip


@pytest.mark.parametrize(("cells", "module"), PAIRS.values(), ids=PAIRS)
def test_cells_in_module_out(cells: list[str], module: str) -> None:
    """The module is plain Python that reads like the notebook."""
    assert module_of(cells) == module


def test_the_map_leads_back_to_cell_and_line() -> None:
    """Each line of a statement is a line of its cell, the `%%ml_train` line counted."""
    cells = ["import keras", "x = [\n  1,\n]\ny = 2", "%%ml_train\n\n%matplotlib inline\nprint(x,\n      keras)"]
    module, entries = render_module(captured(cells))
    lines = module.split("\n")
    for entry in entries:
        cell_lines = cells[int(entry.cell[4:-1]) - 1].split("\n")
        for line in range(entry.first, entry.last + 1):
            assert lines[line - 1] == cell_lines[entry.cell_line - 1 + line - entry.first]
    assert [(entry.first, entry.last, entry.cell, entry.cell_line) for entry in entries] == [
        (2, 2, "In [1]", 1), (5, 7, "In [2]", 1), (10, 11, "In [3]", 4),
    ]  # fmt: skip


def test_running_the_same_cells_again_makes_the_same_module() -> None:
    """Execution numbers are not in the text."""
    assert module_of(["x = 1", "print(x)"]) == module_of(["y = 1", "x = 1", "print(x)"])


STANDALONE = {
    "from": "from cloudml_magic import report\nreport(1, loss=2.)", "as": "from cloudml_magic import report as r\nr(1, loss=2.)", "module": "import cloudml_magic\ncloudml_magic.report(1, loss=2.)",
    "module as": "import os, cloudml_magic as cm\ncm.report(1, loss=2.)\nos.getpid()", "in a function": "def f():\n    from cloudml_magic import (\n        report,\n    )\n    report(1, loss=2.)\nf()",
}  # fmt: skip


@pytest.mark.parametrize("cell", STANDALONE.values(), ids=STANDALONE)
def test_a_module_that_stands_alone_reports_by_itself(cell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`cloudml package` writes no import of ours; a job's module keeps it."""
    module, _ = render_module(captured([cell]), standalone=True)
    assert "import cloudml_magic" not in module and "from cloudml_magic" not in module
    exec(compile(module, "<module>", "exec"), {})
    assert capsys.readouterr().out == "{'step': 1, 'loss': 2.0}\n"
    assert "cloudml_magic" in render_module(captured([cell]))[0]
