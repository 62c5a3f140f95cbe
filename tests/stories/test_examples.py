"""The examples, from top to bottom, as a newcomer runs them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.slow
EXAMPLES = sorted((Path(__file__).parent.parent.parent / "examples").glob("*.ipynb"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_from_top_to_bottom(path: Path, user: Path) -> None:
    """Unattended, without an account; its last cell says how the job ended, and no saved card shows a job that runs."""
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "examples are kept without outputs"
    here = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=300, resources=here, kernel_name="python3").execute(stderr=subprocess.DEVNULL)
    printed = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    assert "SUCCEEDED" in printed
    cards = [output.data for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    states = [
        data["application/vnd.cloudml.job+json"]["state"]
        for data in cards
        if "application/vnd.cloudml.job+json" in data
    ]
    assert states
    assert set(states) == {"SUCCEEDED"}
