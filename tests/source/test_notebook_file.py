"""A saved notebook, read without a kernel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloudml_magic.errors import CloudMLError
from cloudml_magic.source import capture, read_notebook, render_module


def saved(folder: Path, *cells: object, **more: object) -> Path:
    path = folder / "a b.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **more}))
    return path


def code(source: object) -> dict[str, object]:
    return {"cell_type": "code", "source": source, "outputs": [], "metadata": {}, "execution_count": None}


def test_code_cells_count_from_one(tmp_path: Path) -> None:
    """Text cells do not count; source may be a list of lines; an empty last cell is passed over."""
    path = saved(
        tmp_path,
        code("x = 1"),
        {"cell_type": "markdown", "source": "# a"},
        code(["y = 2\n", "z = 3"]),
        code("print(x)"),
        code(" "),
    )
    before, trained = read_notebook(path)
    assert [(cell.text, cell.number) for cell in [*before, trained]] == [
        ("x = 1", 1),
        ("y = 2\nz = 3", 2),
        ("print(x)", 3),
    ]
    assert read_notebook(path, 2)[1].text == "y = 2\nz = 3"
    module, _ = render_module(capture(before, trained, namespace=None, folder=tmp_path))
    assert module == "# %% cell 1\nx = 1\n\n# %% cell 2\nprint(x)\n"


def test_trained_cells_before_it_did_not_run(tmp_path: Path) -> None:
    """The body of an earlier `%%ml_train` cell is not there; the last one's is."""
    path = saved(tmp_path, code("x = 1"), code("%%ml_train a\nx = 2"), code("%%ml_train b\nprint(x)"))
    module, entries = render_module(capture(*read_notebook(path), namespace=None, folder=tmp_path))
    assert module == "# %% cell 1\nx = 1\n\n# %% cell 2\nprint(x)\n"
    assert (entries[-1].cell, entries[-1].cell_line) == ("In [3]", 2)


def test_a_broken_cell_before_it_is_left_out_with_a_warning(tmp_path: Path) -> None:
    """It would have raised."""
    path = saved(tmp_path, code("x = = 1"), code("return 3"), code("y = 1"), code("print(y)"))
    source = capture(*read_notebook(path), namespace=None, folder=tmp_path)
    assert [statement.text for statement in source.statements] == ["y = 1", "print(y)"]
    assert source.warnings == (
        "In [1], line 1 is no valid Python (invalid syntax), so its cell is left out.",
        "In [2], line 1 is no valid Python ('return' outside function), so its cell is left out.",
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "It is not JSON."), (b"[1]", "It is JSON, but no notebook."), (b"{}", "it has no list of cells"), (b'{"cells": 3}', "no list of cells"),
        (b"\xff\xfe", "It is not JSON."), (b"[" * 100_000, "It is not JSON."), (b'{"nbformat": 3, "worksheets": []}', "nbformat 3 or older"),
        (b'{"cells": [{"cell_type": "code", "source": 3}]}', "The source of code cell 1 is no text."),
        (b'{"cells": [], "metadata": {"kernelspec": {"language": "julia"}}}', "Its language is julia."),
    ],
)  # fmt: skip
def test_files_that_are_no_notebook(tmp_path: Path, content: bytes, why: str) -> None:
    """One clear sentence, whatever the file holds."""
    path = tmp_path / "a.ipynb"
    path.write_bytes(content)
    with pytest.raises(CloudMLError) as caught:
        read_notebook(path)
    assert caught.value.reference == "notebook-unreadable" and why in str(caught.value)


def test_missing_notebooks_and_cells(tmp_path: Path) -> None:
    """Named, with what there is instead."""
    with pytest.raises(CloudMLError) as caught:
        read_notebook(tmp_path / "no.ipynb")
    assert caught.value.reference == "notebook-not-found"
    with pytest.raises(CloudMLError) as caught:
        read_notebook(saved(tmp_path, code("x"), 3, {"cell_type": "raw"}), 2)
    assert str(caught.value) == (
        "a b.ipynb has no code cell 2.\n  Why:  It has 1 code cells, counted from 1.\n  Next: Name a cell with --cell N.\n[no-such-cell]"
    )
    with pytest.raises(CloudMLError, match="has no code to package"):
        read_notebook(saved(tmp_path))
