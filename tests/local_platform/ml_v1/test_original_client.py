"""The magics that this project is named after, as they were published, against the platform."""

from __future__ import annotations

import importlib
import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from tests.shells import new_shell

from .conftest import JOBS, Running, service_of

pytest.importorskip("cloudmlmagic")
pytest.importorskip("setuptools")


@pytest.fixture
def magics(platform: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Its magics in a shell; replaced are its credentials, its `build`, and the `gsutil cp` that it calls."""
    credentials = types.ModuleType("oauth2client.client")
    credentials.GoogleCredentials = types.SimpleNamespace(  # type: ignore[attr-defined]
        get_application_default=lambda: None
    )
    monkeypatch.setitem(sys.modules, "oauth2client", types.ModuleType("oauth2client"))
    monkeypatch.setitem(sys.modules, "oauth2client.client", credentials)
    original = importlib.import_module("cloudmlmagic.cloudmlmagic")
    build = types.SimpleNamespace(build=lambda *names, **given: service_of(platform))
    monkeypatch.setattr(original, "discovery", build)
    monkeypatch.setattr(original.tempfile, "tempdir", str(tmp_path))
    commands = tmp_path / "commands"
    commands.mkdir()
    copy = f'#!/bin/sh\ncp "$2" "{platform.places.buckets}/${{3#gs://}}"\n'
    for name, text in (("python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'), ("gsutil", copy)):
        (commands / name).write_text(text, "utf-8")
        (commands / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
    shell = new_shell()
    shell.register_magics(original.MLMagics)
    return shell


def test_the_original_trains_here(magics: Any, platform: Running, capfd: pytest.CaptureFixture[str]) -> None:
    """%ml_init, %%ml_code and %%ml_run cloud: its package is built, sent, and trains to its end."""
    magics.run_line_magic("ml_init", "-projectId tutorial -bucket cloudml-local -scaleTier BASIC -runtimeVersion 1.2")
    magics.run_cell_magic("ml_code", "", "epochs = 3\n")
    magics.run_cell_magic("ml_run", "cloud", "print('trained', epochs, 'epochs')\n")
    (job,) = platform.ask("GET", JOBS)["jobs"]
    assert job["jobId"].startswith("mlmagic__")
    assert job["trainingInput"]["packageUris"] == [f"gs://cloudml-local/{job['jobId']}.tar.gz"]
    assert platform.wait(job["jobId"])["state"] == "SUCCEEDED"
    assert platform.log(job["jobId"]).splitlines()[-1] == "trained 3 epochs"
    assert "'state': 'QUEUED'" in capfd.readouterr().out
