"""Saves what a job leaves: the model that was trained and its history."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from types import ModuleType
from typing import Any

from .fit_reports import FitReports
from .job_folder import JobFolder
from .reporting import EventFile, plain, warn
from .stopping import stop
from .whole_files import is_disk_full, move, put

_DISK_FULL = "The model could not be saved: the disk is full."
_NEXT = "Free space, then submit the job again."


class ModelNotSavedError(Exception):
    """The disk has no room for the model that the job was to deliver."""


def save_outcome(job: JobFolder, module: ModuleType, reports: FitReports, events: EventFile | None) -> None:
    """Writes history, model and SavedModel into `model/`; what cannot be saved is a warning, not a lost job.

    A full disk alone fails the job (ModelNotSavedError): what it trained is gone, and trying again with room helps.
    """
    folder = job.path("model")
    if folder is None:
        return
    if reports.rows:
        content = json.dumps(plain(reports.rows), ensure_ascii=False).encode("utf-8", "backslashreplace")
        if _put(folder, "history.json", content):
            _tell(events, "history", "model/history.json")
    model = _model(job.model, module, reports.model)
    if model is not None:
        try:
            saved = _save(model, folder)
        except ModelNotSavedError:
            if events is not None:
                events.write("failure", urgent=True, message=_DISK_FULL, cause="disk_full", next=_NEXT)
            raise
        if saved:
            _tell(events, "model", f"model/{saved}")
        # A job that was told to stop has seconds; its model can still be exported from model.keras.
        if not stop.asked:
            # Imported here, so that no job's start waits for it.
            from .export.of_job import export_of_job

            if export_of_job(model, folder, job, module):
                _tell(events, "export", "model")


def _model(name: str | None, module: ModuleType, trained: Any) -> Any:
    if name is not None:
        found = module.__dict__.get(name)
        if found is None:
            warn(f"There is no variable {name!r} at the end, so the model that was trained last is saved.")
        elif not hasattr(found, "save"):
            warn(f"{name!r} is no Keras model but a {type(found).__name__}; the model trained last is saved.")
        else:
            return found
    if trained is not None:
        return trained
    keras = sys.modules.get("keras")
    models = [value for value in module.__dict__.values() if keras is not None and isinstance(value, keras.Model)]
    return models[-1] if models else None


def _save(model: Any, folder: str) -> str | None:
    """The name of the file that was saved; the weights alone where the whole model cannot be."""
    problems: list[Exception] = []
    for name, save in (("model.keras", "save"), ("model.weights.h5", "save_weights")):
        try:
            with tempfile.TemporaryDirectory(prefix="cloudml-") as temporary:
                path = os.path.join(temporary, name)
                getattr(model, save)(path)
                move(path, folder, name)
        except Exception as problem:
            problems.append(problem)
            continue
        if problems:
            warn(f"Only the model's weights could be saved ({_told(problems[0])}).")
        return name
    if any(map(is_disk_full, problems)):
        raise ModelNotSavedError(f"{_DISK_FULL} {_NEXT}") from None
    warn(f"The model could not be saved: {_told(problems[0])}.")
    return None


def _told(problem: Exception) -> str:
    return f"{type(problem).__name__}: {problem}".splitlines()[0]


def _put(folder: str, name: str, content: bytes) -> bool:
    try:
        put(folder, name, content)
    except OSError as problem:
        warn(f"{name} could not be written: {problem}.")
        return False
    return True


def _tell(events: EventFile | None, artifact: str, path: str) -> None:
    if events is not None:
        events.write("artifact", urgent=True, artifact=artifact, path=path)
