"""All examples as they stand, offline, one after another, each in a kernel of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row, own_home, seconds

_EXAMPLES = Path(__file__).parent.parent / "examples"


def rows() -> Iterator[Row]:
    with own_home() as home:
        took = sum(seconds(lambda file=file: _run(file, home)) for file in sorted(_EXAMPLES.glob("*.ipynb")))
        yield Row("all examples, one after another", took / 60, "min", 12)


def _run(file: Path, folder: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(file, as_version=4)
    here = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=600, resources=here, kernel_name="python3").execute(stderr=subprocess.DEVNULL)
