"""Writes the SavedModel of a model whose backend writes none: a process of its own loads it with TensorFlow's.

What Keras saves of a model belongs to no backend, as long as it holds Keras's own layers alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

from .not_exportable import NotExportableError, told
from .picture import Picture, picture_of
from .preprocessing import Preprocessing, needs_no_notebook, resolved
from .saved_model import Signatures, write_saved_model

_NEXT = "Build it of Keras's own layers, or train it with the TensorFlow or the JAX backend, to have it served."


def write_by_file(
    model: Any, folder: str, picture: Picture | None, before: Preprocessing | None
) -> tuple[Signatures, str]:
    """Writes it into the folder; what the manifest says of its signatures, and TensorFlow's version."""
    if before is not None and not needs_no_notebook(before.name):
        raise NotExportableError(
            f"The preprocessing {before.name} is the notebook's own, and the model is exported by TensorFlow.",
            "Name one of Keras's functions or a factor with --preprocess, or train with the TensorFlow backend.",
        )
    asked = {"resize": picture.resize if picture else None, "preprocess": before.name if before else None}
    with tempfile.TemporaryDirectory(prefix="cloudml-") as temporary:
        file = os.path.join(temporary, "model.keras")
        model.save(file)
        done = subprocess.run(
            [sys.executable, "-m", f"{__package__}.by_file", file, folder, json.dumps(asked)],
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    answer = _last_line(done.stdout)
    if answer is None:
        last = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1][:300]
        raise NotExportableError(f"TensorFlow could not write the model {model.name} ({last}).", _NEXT)
    if "why" in answer:
        raise NotExportableError(answer["why"], answer["next"])
    return answer["signatures"], answer["tensorflow"]


def _environment() -> dict[str, str]:
    root = os.path.abspath(__file__)
    for _ in range(len(str(__package__).split(".")) + 1):
        root = os.path.dirname(root)
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    # The accelerator's memory belongs to the process that trained.
    return os.environ | {"KERAS_BACKEND": "tensorflow", "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "-1"}


def _last_line(text: str) -> dict[str, Any] | None:
    try:
        answer = json.loads(text.splitlines()[-1])
    except (ValueError, IndexError):
        return None
    return answer if isinstance(answer, dict) else None


def main() -> None:
    """The process of its own: arguments FILE FOLDER OPTIONS, one JSON line as answer."""
    file, folder, options = sys.argv[1:]
    asked = json.loads(options)
    try:
        model = _loaded(file)
        picture = picture_of(model, True, asked["resize"]) if asked["resize"] else None
        before = resolved(asked["preprocess"], {}) if asked["preprocess"] else None
        signatures = write_saved_model(model, folder, picture, before)
    except NotExportableError as problem:
        print(json.dumps({"why": problem.why, "next": problem.next}))
        return
    import tensorflow as tf

    print(json.dumps({"signatures": signatures, "tensorflow": tf.__version__}))


def _loaded(file: str) -> Any:
    import keras

    try:
        # Only what it computes is exported: its loss and optimizer may be the notebook's own.
        return keras.saving.load_model(file, compile=False, safe_mode=True)
    except Exception as problem:
        raise NotExportableError(
            f"TensorFlow writes the SavedModel, and cannot load the model with Keras's own classes ({told(problem)}).",
            _NEXT,
        ) from None


if __name__ == "__main__":
    main()
