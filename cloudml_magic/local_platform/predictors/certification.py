"""Has a model converted and compared for the fast engine (docs/serving.md), once per model, in a process of its own."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from cloudml_magic.local_platform.predictors.process import python_module

_CERTIFICATE = "certificate.json"
_SECONDS = 300.0
_STEP_SECONDS = 0.05
# It takes all cores: two at once would only make each other late.
_one_at_a_time = threading.Lock()


def certify(model_folder: Path, engine: Path, environment: Mapping[str, str], cancelled: threading.Event) -> None:
    """Writes the engine's folder, if that was not done before.

    What it says, or that it says nothing, the serving process reads: it decides which engine serves, and says why.
    """
    with _one_at_a_time:
        if (engine / _CERTIFICATE).is_file() or cancelled.is_set():
            return
        engine.mkdir(parents=True, exist_ok=True, mode=0o700)
        command = python_module("cloudml_magic.serving.certification", str(model_folder), str(engine))
        with (engine / "certification.log").open("wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=engine, env=dict(environment),
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + _SECONDS
        while process.poll() is None and time.monotonic() < deadline and not cancelled.wait(_STEP_SECONDS):
            continue
        if process.poll() is None:
            process.kill()
        process.wait()
