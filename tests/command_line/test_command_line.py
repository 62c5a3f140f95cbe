"""`cloudml` as a user types it: a real process, what it prints and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudml_magic.local_platform import lifecycle

PROGRAM = [sys.executable, "-c", "import sys; from cloudml_magic.command_line import main; sys.exit(main())"]


def cloudml(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], capture_output=True, text=True, timeout=60, cwd=folder, stdin=subprocess.DEVNULL
    )


@pytest.fixture
def platform(home: Path) -> Iterator[Path]:
    yield home
    lifecycle.stop()


def test_start_status_stop(platform: Path) -> None:
    """Each says what it did; starting twice is one platform; stopping twice is no error."""
    assert "does not run" in cloudml("platform", "status").stdout
    first = cloudml("platform", "start")
    assert first.returncode == 0
    assert first.stdout.startswith("The local platform runs at http://127.0.0.1:")
    assert cloudml("platform", "start").stdout == first.stdout
    status = cloudml("platform", "status")
    assert "jobs     0 running, 0 waiting" in status.stdout
    assert cloudml("platform", "stop").stdout.startswith("Stopped.")
    assert cloudml("platform", "stop").stdout == "The local platform did not run.\n"
    assert cloudml("platform", "status").returncode == 3
    assert cloudml("platform", "logs").returncode == 0


def test_env_as_json_has_exactly_what_a_client_needs(platform: Path) -> None:
    """endpoint, storage, token, project, region, bucket; nothing else."""
    answer = cloudml("platform", "env", "--json")
    known = json.loads(answer.stdout)
    assert list(known) == ["endpoint", "storage", "token", "project", "region", "bucket"]
    assert known["endpoint"].startswith("http://127.0.0.1:")
    assert known["storage"] == known["endpoint"]
    token_file = platform / ".local/state/cloudml-magic/platform/token"
    assert token_file.read_text().strip() == known["token"]
    assert token_file.stat().st_mode & 0o777 == 0o600


def test_env_as_exports_names_the_token_file_and_not_the_token(platform: Path) -> None:
    """A shell takes the lines as they stand, and a screen shot of them gives nothing away."""
    token = json.loads(cloudml("platform", "env", "--json").stdout)["token"]
    exports = cloudml("platform", "env").stdout
    assert token not in exports
    shell = subprocess.run(
        ["sh", "-c", f'{exports}\ncat "$CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"'], capture_output=True, text=True, check=True
    )
    assert shell.stdout.strip() == token


def test_reset_asks_first(platform: Path) -> None:
    """Without an answer nothing is changed."""
    cloudml("platform", "start")
    refused = cloudml("platform", "reset")
    assert refused.returncode == 1
    assert refused.stderr == "Nothing was changed.\n  Next: Answer y, or say --yes.\n[not-reset]\n"
    assert cloudml("platform", "reset", "--yes").returncode == 0
    assert "does not run" in cloudml("platform", "status").stdout


def test_jobs_lists_nothing_at_first(platform: Path) -> None:
    """A new user is told so."""
    assert cloudml("jobs").stdout == "No jobs yet.\n"


def test_doctor_names_each_thing_and_its_fix(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without faults has no arrows; one with a fault has the command that mends it."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    well = cloudml("doctor")
    assert well.returncode == 0, well.stdout
    for subject in (
        "Python",
        "TensorFlow",
        "Bytecode",
        "GPU",
        "Disk",
        "Credentials",
        "Settings",
        "Platform",
        "JupyterLab",
    ):
        assert f" {subject} " in well.stdout
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(home / "missing.json"))
    ill = cloudml("doctor")
    assert "! Bytecode" in ill.stdout
    assert "→ Unset it" in ill.stdout
    assert "Mend or unset GOOGLE_APPLICATION_CREDENTIALS." in ill.stdout
    broken = home / ".config/cloudml-magic/config.toml"
    broken.parent.mkdir(parents=True)
    broken.write_text("= nothing")
    assert cloudml("doctor").returncode == 1


def write_notebook(folder: Path, *cells: str) -> Path:
    path = folder / "work.ipynb"
    kinds = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": kinds}))
    return path


def test_package_prints_a_module_that_runs_on_its_own(home: Path, tmp_path: Path) -> None:
    """What the cell needs and nothing else, in the notebook's folder, without a kernel and without an import of ours."""
    (tmp_path / "aid.py").write_text("side = 4\n")
    notebook = write_notebook(
        tmp_path,
        "%matplotlib inline\nimport aid\nimport json",
        "unused = [1, 2]\nwidth = aid.side * 2",
        "%%ml_train squares\nfrom cloudml_magic import report\nprint(width ** 2)\nreport(1, area=width ** 2)",
    )
    packed = cloudml("package", str(notebook))
    assert packed.returncode == 0, packed.stderr
    assert "unused" not in packed.stdout
    assert "import json" not in packed.stdout
    assert "get_ipython" not in packed.stdout
    assert "import cloudml_magic" not in packed.stdout
    assert "from cloudml_magic" not in packed.stdout
    ran = subprocess.run([sys.executable, "-"], input=packed.stdout, capture_output=True, text=True, cwd=tmp_path)
    assert ran.stdout.splitlines()[0] == "64", ran.stderr


def test_package_takes_a_cell_by_its_number_and_writes_a_file(home: Path, tmp_path: Path) -> None:
    """--cell counts all code cells from 1; --out leaves standard output silent."""
    notebook = write_notebook(tmp_path, "a = 1", "print(a)", "print('last')")
    out = tmp_path / "module.py"
    packed = cloudml("package", str(notebook), "--cell", "2", "--out", str(out))
    assert (packed.returncode, packed.stdout) == (0, "")
    assert subprocess.run([sys.executable, str(out)], capture_output=True, text=True).stdout == "1\n"


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["print(undefined_thing)"], "`undefined_thing`"),
        (["x = = 1"], "line 1"),
        (["key = 'AKIA' + 'IOSFODNN7'\npassword = 'h7Gq92!kLpQz81xW'\nprint(password)"], "line 2"),
    ],
    ids=["undefined", "syntax", "secret"],
)
def test_package_refuses_on_standard_error(home: Path, tmp_path: Path, cells: list[str], words: str) -> None:
    """Exit 1, nothing on standard output, one clear message."""
    refused = cloudml("package", str(write_notebook(tmp_path, *cells)))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "h7Gq92" not in refused.stderr


def test_package_warns_of_data_that_is_not_here(home: Path, tmp_path: Path) -> None:
    """A missing file or package is a warning, since the module may run elsewhere."""
    notebook = write_notebook(
        tmp_path, "import no_such_package_xyz", "print(open('absent.csv').read(), no_such_package_xyz)"
    )
    packed = cloudml("package", str(notebook))
    assert packed.returncode == 0
    assert "absent.csv" in packed.stderr
    assert "no_such_package_xyz" in packed.stderr


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"cells": 3}', "\x00\xff"], ids=range(5))
def test_what_is_no_notebook_is_said_so(home: Path, tmp_path: Path, content: str) -> None:
    """Hostile and broken files end in one message."""
    file = tmp_path / "odd.ipynb"
    file.write_bytes(content.encode("latin-1"))
    refused = cloudml("package", str(file))
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert "odd.ipynb" in refused.stderr


def test_a_reader_that_leaves_is_no_error_with_a_traceback(home: Path) -> None:
    """`cloudml doctor | head -1` prints one line."""
    program = " ".join(f"'{part}'" for part in PROGRAM)
    shell = subprocess.run(
        ["bash", "-c", f"{program} doctor | head -1"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert "Traceback" not in shell.stderr
