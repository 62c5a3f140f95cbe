"""Exports what a job has trained into its folder; whatever goes wrong is a warning, since the model itself is saved."""

from __future__ import annotations

import contextlib
import os
import tempfile
from types import ModuleType
from typing import Any

from ..job_folder import JobFolder
from ..reporting import warn
from ..whole_files import move
from . import NotExportableError, export_model, saved_model_files
from .calling import is_keras_model
from .not_exportable import told

_MAYBE_SCALED = (
    "The code divides by 255 or 127.5. If that prepares its pictures, the exported model has to do the same to those"
    " that it is asked about: train with --preprocess {0}, or %ml_export with it; if it prepares none, with"
    " --preprocess 1."
)


def export_of_job(model: Any, folder: str, job: JobFolder, module: ModuleType) -> bool:
    """Writes the SavedModel beside `model.keras`; whether it is there whole."""
    if not is_keras_model(model):
        return False
    asked = job.export
    try:
        with tempfile.TemporaryDirectory(prefix="cloudml-") as temporary:
            manifest = export_model(
                model,
                temporary,
                name=job.name,
                labels=asked.get("labels"),
                preprocess=asked.get("preprocess"),
                resize=asked.get("resize") or "stretch",
                picture=asked.get("picture"),
                source_sha256=asked.get("source"),
                captured=module.__dict__,
                warn=lambda message: warn(f"{message} The model is exported without."),
            )
            if manifest["picture"] and not manifest["picture"]["preprocess"] and asked.get("scaling"):
                warn(_MAYBE_SCALED.format(asked["scaling"]))
            _move_all(temporary, folder)
    except NotExportableError as problem:
        warn(f"The model is saved, but cannot be served: {problem}")
    except Exception as problem:
        warn(f"The model is saved, but its export failed, so it cannot be served: {told(problem)}.")
    else:
        return True
    return False


def _move_all(source: str, folder: str) -> None:
    """File by file, the manifest last; of an export that did not arrive whole nothing stays."""
    names = saved_model_files(source)
    try:
        for name in names:
            move(os.path.join(source, name), folder, name)
    except BaseException:
        for name in names:
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, name))
        raise
