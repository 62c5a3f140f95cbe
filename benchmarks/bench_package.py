"""From cells to bytes: capture, and a package against `setup.py sdist` and `pip install`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Row, median, ratio, seconds, side_by_side
from benchmarks.notebooks import LONG_MODULE, long_notebook
from cloudml_magic.history import ExecutedCell
from cloudml_magic.packaging import boot_command, build_trainer
from cloudml_magic.records import SourceMapEntry
from cloudml_magic.source import CaptureOptions, capture

_SETUP = 'from setuptools import setup\nsetup(name="peer", version="1", py_modules=["task"])\n'


def rows() -> Iterator[Row]:
    cells = long_notebook(200)
    trained = ExecutedCell("%%ml_train\nmodel = build(64)\nmodel.fit(x, y)", 201)
    yield Row("capture of a notebook of 200 cells", median(_captures(cells, trained)) * 1000, "ms", 100)
    with TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "task.py").write_text(LONG_MODULE)
        (place / "setup.py").write_text(_SETUP)
        ours, peer = side_by_side(lambda: seconds(_package), lambda: seconds(lambda: _sdist(place)))
        yield Row("cell to package, against setup.py sdist", ratio(ours, peer), "×", 0.02)
        yield Row("digests of equal code that differ", len({_package().sha256 for _ in range(5)}) - 1, "", 0)
        ours, peer = side_by_side(lambda: _worker_start(place), lambda: seconds(lambda: _install(place)))
        yield Row("worker start, against pip install of the package", ratio(ours, peer), "×", 0.02)


def _captures(cells: list[ExecutedCell], trained: ExecutedCell) -> list[float]:
    options = CaptureOptions()
    rounds = count()

    def once() -> float:
        # Cells that were read are remembered; a new comment makes each of them new.
        mark = f"\n# {next(rounds)}"
        fresh = [ExecutedCell(cell.text + mark, cell.number) for cell in cells]
        return seconds(lambda: capture(fresh, trained, namespace={}, folder=Path(), options=options))

    return side_by_side(once)[0]


def _package():  # type: ignore[no-untyped-def]
    module = "print('ready')\n" + LONG_MODULE
    return build_trainer("peer", module, (SourceMapEntry(1, 300, "In [1]", 1),), {"In [1]": module})


def _sdist(place: Path) -> None:
    subprocess.run([sys.executable, "setup.py", "-q", "sdist"], cwd=place, check=True, capture_output=True)


def _install(place: Path) -> None:
    file = place / "package.tar.gz"
    file.write_bytes(_package().content)
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target"]
    subprocess.run([*command, str(place / "site"), "--upgrade", str(file)], check=True, capture_output=True)


def _worker_start(place: Path) -> float:
    """What checking, unpacking and entering the package add to an interpreter that starts anyway."""
    package = _package()
    file = place / "package.tar.gz"
    file.write_bytes(package.content)
    arguments = [str(file), package.sha256, "cloudml_trainer.notebook"]
    (bare, with_package) = side_by_side(
        lambda: seconds(lambda: _run([sys.executable, "-c", "pass"])),
        lambda: seconds(lambda: _run([sys.executable, "-c", boot_command()[-1], *arguments])),
        rounds=3,
    )
    return max(0.0, median(with_package) - median(bare))


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)
