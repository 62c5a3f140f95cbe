"""What a job leaves behind, brought back: its history and its model."""

from __future__ import annotations

import inspect
import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudml_magic.client.event_stream import parse
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.progress import JobProgress
from cloudml_magic.pipeline.session import notebook_namespace
from cloudml_magic.storage import Address, ObjectStorage

_MODEL = "model/model.keras"
_CUSTOM_BASES = (
    "Layer",
    "Metric",
    "Loss",
    "Optimizer",
    "Initializer",
    "Regularizer",
    "Constraint",
    "LearningRateSchedule",
)


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


def model(name: str, folder: Address, storage: ObjectStorage, custom_objects: Mapping[str, Any] | None) -> Any:
    """Loads the job's model: safe mode, custom classes from the notebook."""
    if not has_model(folder, storage):
        raise CloudMLError(
            "no-model",
            f"Job {name} left no model.",
            why="Its code trained none, or the one that `--model` names does not exist.",
            next="Train a Keras model in the cell, or name its variable with --model.",
        )
    import keras

    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "model.keras"
        storage.download(folder / _MODEL, file)
        objects = _notebook_classes(keras) | dict(custom_objects or {})
        try:
            return keras.saving.load_model(file, custom_objects=objects, safe_mode=True)
        except Exception as problem:
            raise CloudMLError(
                "model-not-loadable",
                f"The model of job {name} cannot be loaded here.",
                why=str(problem).strip().splitlines()[0][:500],
                next="Run the cells that define its classes, or pass them: job.model(custom_objects={'Name': Class}).",
            ) from problem


def _notebook_classes(keras: Any) -> dict[str, Any]:
    """Classes and functions that the notebook defined and a saved model may name."""
    found: dict[str, Any] = {}
    for name, value in list(notebook_namespace().items()):
        if name.startswith("_"):
            continue
        if inspect.isclass(value) and issubclass(value, _bases(keras)) and not value.__module__.startswith("keras."):
            found[value.__name__] = value
        elif inspect.isfunction(value) and value.__module__ == "__main__":
            found[name] = value
    return found


def _bases(keras: Any) -> tuple[type, ...]:
    rooms = (
        keras,
        keras.metrics,
        keras.losses,
        keras.optimizers,
        keras.initializers,
        keras.regularizers,
        keras.constraints,
    )
    bases = [getattr(room, name, None) for name in _CUSTOM_BASES for room in (*rooms, keras.optimizers.schedules)]
    return tuple({base for base in bases if isinstance(base, type)})
