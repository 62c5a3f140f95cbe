"""Runs the first example without a browser, prints how its job ended, and says how to open it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
NOTEBOOK = EXAMPLES / "01_quickstart.ipynb"


def main() -> int:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    # The job's Python is this one, wherever the user's shell stands.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    began = time.monotonic()
    here = {"metadata": {"path": str(EXAMPLES)}}
    client = NotebookClient(notebook, timeout=600, resources=here, kernel_name="python3")
    try:
        # What the kernel itself mutters (TensorFlow about processors, Jupyter about transports) is not the news here.
        client.execute(stderr=subprocess.DEVNULL)
    except CellExecutionError as problem:
        print(problem, file=sys.stderr)
        print("Next: .venv/bin/cloudml doctor says what is missing.", file=sys.stderr)
        return 1
    for line in _printed(notebook.cells[-1]):
        print(f"   {line}")
    print(f"── Done in {time.monotonic() - began:.0f} s. Next, see it live in JupyterLab:")
    print(f"   .venv/bin/jupyter lab {os.path.relpath(NOTEBOOK)}")
    return 0


def _printed(cell: nbformat.NotebookNode) -> list[str]:
    printed = [output.text for output in cell.outputs if output.get("name") == "stdout"]
    return "".join(printed).splitlines()


if __name__ == "__main__":
    sys.exit(main())
