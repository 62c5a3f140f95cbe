"""A package that is installed and started as Google does it: `pip install PACKAGE`, then `python -m MODULE`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cloudml_magic.records import TrainerPackage

from .packages import events, package, prepared


def started(built: TrainerPackage, folder: Path, expected: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The package unpacked where Python finds it, and its module run by its name."""
    import tarfile

    _, environment = prepared(built, folder)
    with tarfile.open(folder / built.file_name) as archive:
        archive.extractall(folder / "site", filter="data")
    (root,) = (folder / "site").iterdir()
    environment |= {"PYTHONPATH": str(root), "CLOUDML_PACKAGE": f"{expected} {folder / built.file_name}"}
    command = [sys.executable, "-m", built.module, *arguments]
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_package_that_was_submitted_runs(tmp_path: Path) -> None:
    """With its arguments; what the cell prints is the output."""
    built = package("import sys\nprint('cell', sys.argv[1:])")
    done = started(built, tmp_path, built.sha256, "--width=8")
    assert (done.returncode, done.stdout) == (0, "cell ['--width=8']\n"), done.stderr
    assert [event["kind"] for event in events(tmp_path)][-1] == "finished"


def test_another_one_does_not_run(tmp_path: Path) -> None:
    """Refused before a line of the cell, with both digests."""
    built = package("print('cell')")
    done = started(built, tmp_path, "0" * 64)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"The package {tmp_path / built.file_name} is not the one that was submitted: its sha256 is {built.sha256},"
        f" not {'0' * 64}. Nothing of the cell was run.\n"
    )


def test_one_that_is_gone_does_not_run(tmp_path: Path) -> None:
    """It cannot be compared."""
    built = package("print('cell')")
    _, environment = prepared(built, tmp_path)
    environment["CLOUDML_PACKAGE"] = f"{built.sha256} {tmp_path}/gone.tar.gz"
    environment["PYTHONPATH"] = str(Path(__file__).parents[2] / "cloudml_magic")
    program = "import runpy; from trainer.submitted import check_package; check_package(); print('cell')"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"The package {tmp_path}/gone.tar.gz cannot be read: ")
    assert os.linesep in done.stderr


@pytest.mark.slow
def test_pip_installs_it_as_a_container_would(tmp_path: Path) -> None:
    """By real pip into a real environment, under a file name that says nothing of the distribution's."""
    built = package("print('cell')")
    (tmp_path / "trainer.tar.gz").write_bytes(built.content)
    target = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "uv", "pip", "install", "-q", "--no-deps", "--target", str(target),
         str(tmp_path / "trainer.tar.gz")], check=True, timeout=120,
    )  # fmt: skip
    _, environment = prepared(built, tmp_path)
    environment |= {"PYTHONPATH": str(target), "CLOUDML_PACKAGE": f"{built.sha256} {tmp_path / 'trainer.tar.gz'}"}
    done = subprocess.run(
        [sys.executable, "-m", built.module], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "cell\n"), done.stderr
