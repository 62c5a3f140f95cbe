"""The fast engine serves only where it was shown to agree, and says why where it does not."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.local_platform.saved_models import writing_node
from tests.serving.processes import ServingProcess

pytestmark = pytest.mark.slow

Certify = Callable[[str], tuple[Path, dict[str, Any]]]
AGREES = r"It agrees with TensorFlow \(largest relative difference \de-\d\d(, \de[+-]\d\d for pictures)?\) and was [\d.]+ times as fast\."


@pytest.mark.parametrize("name", ["table", "flowers", "scaled"])
def test_a_model_on_which_both_agree_is_certified(certify: Certify, name: str) -> None:
    folder, said = certify(name)
    assert (said["outcome"], said["engine"]) == ("certified", "onnxruntime")
    assert re.fullmatch(AGREES, said["why"]) and (", " in said["why"]) == (name == "flowers")
    certificate = json.loads((folder / "certificate.json").read_text())
    assert certificate["schema"] == 1 and certificate["why"] == said["why"]
    assert set(certificate["signatures"]) == ({"pixels", "tensors"} if name == "flowers" else {"serving_default"})


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("words", "The model takes text (`word`), which only TensorFlow computes."),
        ("two", "The model takes int32 (`right`); the engines treat numbers out of range differently."),
        ("constant", "The model answers all trial inputs alike, so nothing is shown by agreeing on them."),
    ],
)
def test_other_models_stay_on_tensorflow_and_the_reason_is_told(certify: Certify, name: str, why: str) -> None:
    folder, said = certify(name)
    assert said == {"outcome": "certified", "engine": "tensorflow", "why": why}
    assert json.loads((folder / "certificate.json").read_text())["why"] == why


def test_what_the_interface_rules_out_is_refused_without_tensorflow(models: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from cloudml_magic.serving.certification import certify\n"
        f"certify({str(models / 'words')!r}, Path({str(tmp_path)!r})); sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_folder_without_a_model_gets_no_certificate(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cloudml_magic.serving.certification", str(tmp_path), str(tmp_path / "engine")]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 1 and json.loads(done.stdout)["error"][0] == "no-saved-model"
    assert not (tmp_path / "engine" / "certificate.json").exists()


def test_the_fast_engine_answers_soon_and_needs_no_tensorflow(models: Path, certify: Certify, tmp_path: Path) -> None:
    folder, said = certify("flowers")
    began = time.perf_counter()
    process = ServingProcess(models / "flowers", tmp_path, folder)
    assert process.outcome() == {"outcome": "ready", "engine": "onnxruntime", "why": said["why"]}
    assert process.ask({"instances": [[[[0] * 3] * 24] * 32], "signature_name": "pixels"}).status == 200
    # A second is promised on an idle machine; tests share theirs.
    assert time.perf_counter() - began < 5
    assert "tensorflow" not in Path(f"/proc/{process.process.pid}/maps").read_text()
    assert process.memory() < 200 * 1024 * 1024
    process.end()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("graph", "The fast engine has no readable certificate."),
        ("model", "The fast engine was certified for another export of the model."),
        ("refused", "The model answers all trial inputs alike, so nothing is shown by agreeing on them."),
    ],
)
def test_a_certificate_of_something_else_is_not_trusted(
    models: Path, certify: Certify, tmp_path: Path, change: str, why: str
) -> None:
    engine = tmp_path / "engine"
    shutil.copytree(certify("constant" if change == "refused" else "table")[0], engine)
    if change == "graph":
        next(engine.glob("*.onnx")).write_bytes(b"another")
    process = ServingProcess(models / ("table" if change == "graph" else "constant"), tmp_path, engine)
    assert process.outcome() == {"outcome": "ready", "engine": "tensorflow", "why": why}
    process.end()


@pytest.mark.parametrize("module", ["cloudml_magic.serving", "cloudml_magic.serving.certification"])
def test_a_model_that_does_more_than_compute_is_not_loaded(models: Path, tmp_path: Path, module: str) -> None:
    """Neither to serve nor to certify it; the reason names the operation."""
    shutil.copytree(models / "table", tmp_path / "evil")
    (tmp_path / "evil" / "cloudml.json").unlink(missing_ok=True)
    with (tmp_path / "evil" / "saved_model.pb").open("ab") as file:
        file.write(writing_node())
    command = [sys.executable, "-m", module, str(tmp_path / "evil"), str(tmp_path / "engine")]
    environment = {**os.environ, "AIP_STORAGE_URI": str(tmp_path / "evil"), "AIP_HTTP_PORT": "0"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
    assert done.returncode == 1
    reference, what, _, _ = json.loads(done.stdout)["error"]
    assert reference == "model-reaches-out"
    assert what.endswith("does more than compute: it has the operation WriteFile.")
