"""Saves what a job leaves: the model that was trained and its history."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from types import ModuleType
from typing import Any

from .fit_reports import FitReports
from .job_folder import JobFolder
from .reporting import EventFile, plain, warn


def save_outcome(job: JobFolder, module: ModuleType, reports: FitReports, events: EventFile | None) -> None:
    """Writes `model/history.json` and `model/model.keras`; what cannot be saved is a warning, not a lost job."""
    folder = job.path("model")
    if folder is None:
        return
    if reports.rows:
        content = json.dumps(plain(reports.rows), ensure_ascii=False).encode("utf-8", "backslashreplace")
        if _put(folder, "history.json", content):
            _tell(events, "history", "model/history.json")
    model = _model(job.model, module, reports.model)
    if model is not None:
        saved = _save(model, folder)
        if saved:
            _tell(events, "model", f"model/{saved}")


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
    problems = []
    with tempfile.TemporaryDirectory(prefix="cloudml-") as temporary:
        for name, save in (("model.keras", "save"), ("model.weights.h5", "save_weights")):
            path = os.path.join(temporary, name)
            try:
                getattr(model, save)(path)
                _move(path, folder, name)
            except Exception as problem:
                problems.append(f"{type(problem).__name__}: {problem}".splitlines()[0])
                continue
            if problems:
                warn(f"Only the model's weights could be saved ({problems[0]}).")
            return name
    warn(f"The model could not be saved: {problems[0]}.")
    return None


def _put(folder: str, name: str, content: bytes) -> bool:
    try:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name + ".part"), "wb") as file:
            file.write(content)
        os.replace(os.path.join(folder, name + ".part"), os.path.join(folder, name))
    except OSError as problem:
        warn(f"{name} could not be written: {problem}.")
        return False
    return True


def _move(path: str, folder: str, name: str) -> None:
    """Whole or not at all: under another name first, since the folder may be on another disk."""
    os.makedirs(folder, exist_ok=True)
    part = os.path.join(folder, name + ".part")
    shutil.move(path, part)
    os.replace(part, os.path.join(folder, name))


def _tell(events: EventFile | None, artifact: str, path: str) -> None:
    if events is not None:
        events.write("artifact", urgent=True, artifact=artifact, path=path)
