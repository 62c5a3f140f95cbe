"""What a job leaves behind, brought back: its history and its model."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudml_magic.client.event_lines import parse
from cloudml_magic.errors import CloudMLError
from cloudml_magic.model_folder import SAVED_MODEL, read_interface
from cloudml_magic.pipeline.model_file import load_model
from cloudml_magic.pipeline.progress import JobProgress
from cloudml_magic.records import ModelInterface
from cloudml_magic.storage import Address, ObjectStorage

_EXPORT, _KERAS_FILE = "model", "model.keras"
_MODEL = f"{_EXPORT}/{_KERAS_FILE}"


def read_progress(folder: Address, storage: ObjectStorage) -> JobProgress:
    """What the job's own report says so far."""
    progress = JobProgress()
    for line in (storage.read(folder / "events.jsonl") or b"").splitlines():
        if event := parse(line.decode("utf-8", "replace")):
            progress.apply(event)
    return progress


def history(progress: JobProgress) -> Any:
    """One row per epoch: a DataFrame, or a dict of lists where there is no pandas."""
    names: dict[str, None] = {name: None for row in progress.rows for name in row}
    columns = {name: [row.get(name, math.nan) for row in progress.rows] for name in names}
    try:
        import pandas
    except ImportError:
        return columns
    frame = pandas.DataFrame(columns, index=range(1, len(progress.rows) + 1))
    frame.index.name = "epoch"
    return frame


def has_model(folder: Address, storage: ObjectStorage) -> bool:
    """Whether the job has saved a model, at its end or when it was stopped."""
    return storage.size(folder / _MODEL) is not None


def model(
    name: str, folder: Address, storage: ObjectStorage, custom_objects: Mapping[str, Any] | None, trust: bool
) -> Any:
    """Loads the job's model: safe mode unless it is trusted, custom classes from the notebook."""
    if not has_model(folder, storage):
        raise CloudMLError(
            "no-model",
            f"Job {name} left no model.",
            why="Its code trained none, or the one that `--model` names does not exist.",
            next="Train a Keras model in the cell, or name its variable with --model.",
        )
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "model.keras"
        storage.download(folder / _MODEL, file)
        return load_model(
            file, f"The model of job {name}", custom_objects, trust=trust, trusting="`job.model(trust=True)`"
        )


def interface(folder: Address, storage: ObjectStorage) -> ModelInterface | None:
    """What the job's exported model takes and gives; None where none was exported."""
    exported = folder / _EXPORT
    if storage.size(exported / SAVED_MODEL) is None:
        return None
    return read_interface(lambda name: storage.read(exported / name), str(exported))


def bring_export(folder: Address, storage: ObjectStorage, to: Path) -> None:
    """Brings the job's exported model to a folder here."""
    exported = folder / _EXPORT
    for name in storage.names(exported):
        if name != _KERAS_FILE:
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            storage.download(exported / name, to / name)
