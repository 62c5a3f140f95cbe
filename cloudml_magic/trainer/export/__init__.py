"""Writes a Keras model as a model folder (docs/model_folder.md): a SavedModel, and `cloudml.json` when it is whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .backends import is_traced, lacking_tensorflow
from .by_file import write_by_file
from .labels import Labels, labels_of
from .manifest import MANIFEST, described, write_manifest
from .not_exportable import NotExportableError
from .picture import RESIZES, Picture, picture_of
from .preprocessing import Preprocessing, resolved
from .saved_model import Signatures, write_saved_model

__all__ = ["MANIFEST", "NotExportableError", "export_model", "is_traced", "lacking_tensorflow", "saved_model_files"]


def export_model(
    model: Any,
    folder: str,
    *,
    name: str,
    labels: Labels = None,
    preprocess: str | Callable[..., Any] | None = None,
    resize: str = "stretch",
    picture: bool | None = None,
    source_sha256: str | None = None,
    captured: Mapping[str, Any] | None = None,
    warn: Callable[[str], None] = lambda message: None,
) -> dict[str, Any]:
    """Exports a built Keras model into an empty folder and returns its manifest; NotExportableError says why it cannot.

    `picture` None finds out by the model's input. `captured` are the names among which those of `labels` and
    `preprocess` are looked up. `warn` hears what was left out.
    """
    why = lacking_tensorflow()
    if why:
        raise NotExportableError(why, "Add --requires tensorflow-cpu to the training, or export where it is installed.")
    found = captured or {}
    taken = picture_of(model, picture, resize)
    before = resolved(preprocess, found) if preprocess is not None and taken is not None else None
    if preprocess is not None and taken is None:
        warn(f"--preprocess {preprocess} is for models that take pictures, which this one does not.")
    if resize != RESIZES[0] and taken is None:
        warn(f"--resize {resize} is for models that take pictures, which this one does not.")
    signatures, tensorflow = _written(model, folder, taken, before)
    manifest = described(model, name, signatures, taken, before) | {
        "tensorflow": tensorflow,
        "source": {"sha256": source_sha256},
    }
    outputs = signatures["serving_default"]["outputs"]
    manifest["labels"] = labels_of(labels, found, outputs, manifest["activations"], warn)
    write_manifest(folder, manifest)
    return manifest


def _written(model: Any, folder: str, picture: Picture | None, before: Preprocessing | None) -> tuple[Signatures, str]:
    """The signatures, and TensorFlow's version."""
    import keras

    if not is_traced(keras.backend.backend()):
        return write_by_file(model, folder, picture, before)
    signatures = write_saved_model(model, folder, picture, before)
    import tensorflow as tf

    return signatures, str(tf.__version__)


def saved_model_files(folder: str) -> Sequence[str]:
    """The files of an exported folder in the order in which they are to be moved or sent: the manifest last.

    Without `saved_model.pb` nobody takes the rest for a model, so that comes late too.
    """
    names = [
        os.path.relpath(os.path.join(place, file), folder).replace(os.sep, "/")
        for place, _, files in os.walk(folder)
        for file in files
    ]
    late = {"saved_model.pb": 1, MANIFEST: 2}
    return sorted(names, key=lambda name: (late.get(name, 0), name))
