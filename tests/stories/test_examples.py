"""The examples, from top to bottom, as a newcomer runs them, and what they come to."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.slow
EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def numbers(text: str, pattern: str) -> list[float]:
    """The numbers that a pattern finds."""
    found = re.search(pattern, text)
    assert found, (pattern, text)
    return [float(group) for group in found.groups()]


def quickstart(printed: str) -> None:
    (accuracy,) = numbers(printed, r"validation accuracy ([\d.]+)%")
    assert accuracy > 85


def predict(printed: str) -> None:
    assert "['three', 'four', 'five']" in printed, "each picture is what was drawn"
    assert "178 rows" in printed


def transfer_learning(printed: str) -> None:
    transferred, scratch = numbers(printed, r"transferred ([\d.]+)%, from scratch ([\d.]+)%")
    assert transferred > scratch, "what was learned before helps"
    assert transferred > 45
    assert re.search(r"the picture is (\w+), expected \1\b", printed)


def census(printed: str) -> None:
    accuracy, rich, poor = numbers(printed, r"validation accuracy ([\d.]+)%; ([\d.]+) and ([\d.]+)")
    assert accuracy > 80
    assert rich > 0.8
    assert poor < 0.2
    assert "[wrong-shape]" in printed


def mnist_batch(printed: str) -> None:
    (right,) = numbers(printed, r"([\d.]+)% of the batch right, both APIs agree: True")
    assert right > 85


def plant_seedlings(printed: str) -> None:
    accuracy, fscore = numbers(printed, r"accuracy ([\d.]+)%, macro F-score ([\d.]+)")
    assert accuracy > 60
    assert fscore > 0.5


def from_2017(printed: str) -> None:
    (accuracy,) = numbers(printed, r"SUCCEEDED, accuracy ([\d.]+)%")
    assert accuracy > 90


OUTCOMES: dict[str, Callable[[str], None]] = {
    "01_quickstart": quickstart,
    "02_predict": predict,
    "03_transfer_learning": transfer_learning,
    "04_census": census,
    "05_mnist_batch": mnist_batch,
    "06_plant_seedlings": plant_seedlings,
    "07_from_2017": from_2017,
}


def test_every_example_has_an_outcome() -> None:
    """Numbered in reading order."""
    assert sorted(path.stem for path in EXAMPLES.glob("*.ipynb")) == list(OUTCOMES)


@pytest.mark.parametrize("name", OUTCOMES)
def test_every_step_has_its_sentence(name: str) -> None:
    """What a cell is for stands before it; only the first one follows the beginning by itself."""
    cells = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4).cells
    alone = [cell.source for before, cell in pairwise(cells) if before.cell_type == cell.cell_type == "code"]
    assert alone == []


@pytest.mark.parametrize("name", OUTCOMES)
def test_an_example_runs_from_top_to_bottom(name: str, user: Path, tmp_path: Path) -> None:
    """Unattended, without an account, to what it promises; no saved card shows a job that runs."""
    notebook = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "examples are kept without outputs"
    here = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, resources=here, kernel_name="python3").execute(stderr=subprocess.DEVNULL)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    said = [output.get("text", "") or "\n".join(output.get("traceback", ())) for output in outputs]
    said += [output.data.get("text/plain", "") for output in outputs if output.output_type == "execute_result"]
    assert "SUCCEEDED" in "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    OUTCOMES[name]("\n".join(said))
    cards = [output.data for output in outputs if "data" in output]
    states = [
        data["application/vnd.cloudml.job+json"]["state"]
        for data in cards
        if "application/vnd.cloudml.job+json" in data
    ]
    assert states
    assert set(states) == {"SUCCEEDED"}
