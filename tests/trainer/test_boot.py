"""The boot command: only the package that was submitted runs, it unpacks nowhere else, and starts at once."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from cloudml_magic.records import TrainerPackage

from ..jobs.hostile_archives import HOSTILE_TARS
from .packages import package, prepared, run


def test_another_package_is_refused(tmp_path: Path) -> None:
    """One flipped byte: a clear line, a non-zero exit, nothing executed."""
    built = package(f"open({str(tmp_path / 'ran')!r}, 'w')")
    command, environment = prepared(built, tmp_path)
    content = bytearray(built.content)
    content[-20] ^= 1
    (tmp_path / built.file_name).write_bytes(content)
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"The package {tmp_path / built.file_name} is not the one that was submitted: its sha256"
    )
    assert done.stderr.endswith(f"not {built.sha256}. Nothing of it was run.\n")
    assert not (tmp_path / "ran").exists()


def test_a_missing_package_is_told(tmp_path: Path) -> None:
    """The address and the reason, no traceback."""
    built = package("1")
    command, environment = prepared(built, tmp_path)
    (tmp_path / built.file_name).unlink()
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "cannot be read: [Errno 2]" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("content", [pytest.param(make(), id=name) for name, make in HOSTILE_TARS.items()])
def test_a_hostile_package_lands_nowhere(tmp_path: Path, content: bytes) -> None:
    """Refused in one line, whatever its digest; no file outside, nothing executed."""
    import hashlib

    built = TrainerPackage("p.tar.gz", content, hashlib.sha256(content).hexdigest(), "evil", ())
    inner = tmp_path / "a" / "b"
    before = set(tmp_path.rglob("*"))
    command, environment = prepared(built, inner)
    environment["TMPDIR"] = str(tmp_path / "tmp")
    (tmp_path / "tmp").mkdir()
    done = subprocess.run(command, env=environment, cwd=inner, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("The package ") and done.stderr.endswith(". Nothing of it was run.\n"), done.stderr
    assert "Traceback" not in done.stderr
    left = {path for path in set(tmp_path.rglob("*")) - before if path.is_file() or path.is_symlink()}
    assert left == {inner / "p.tar.gz"}


def test_met_requirements_install_nothing(tmp_path: Path) -> None:
    """Pins, ranges, markers and bare names that this environment meets cost no pip."""
    import numpy

    requirements = (f"numpy=={numpy.__version__}", "pytest", "pytest>=8", "nothing-here; python_version < '3'")
    ran = run(package("print('ran')", requirements=requirements), tmp_path)
    assert (ran.out, ran.code) == ("ran\n", 0)


def test_requirements_that_cannot_be_met_are_named(tmp_path: Path) -> None:
    """pip's failure ends the job with the requirement's name."""
    ran = run(package("print('ran')", requirements=("pytest==0.0.1",)), tmp_path, env={"PIP_NO_INDEX": "1"})
    assert ran.code == 1
    assert ran.out == "Installing pytest==0.0.1\n"
    assert ran.err.endswith("These requirements could not be installed: pytest==0.0.1.\n")


def test_a_worker_starts_at_once(tmp_path: Path) -> None:
    """From the interpreter's start to the first line of the code it takes well under a tenth of a second."""
    built = package("import time\nprint(time.monotonic())")

    def bare() -> float:
        began = time.monotonic()
        out = subprocess.run(
            [sys.executable, "-c", "import time; print(time.monotonic())"], capture_output=True, text=True, check=True
        )
        return float(out.stdout) - began

    def booted() -> float:
        command, environment = prepared(built, tmp_path)
        began = time.monotonic()
        out = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
        return float(out.stdout) - began

    extra = min(booted() for _ in range(5)) - min(bare() for _ in range(5))
    assert extra < 0.5
