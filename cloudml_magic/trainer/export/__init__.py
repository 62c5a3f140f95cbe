"""Writes a Keras model as a model folder (docs/model_folder.md): a SavedModel, and `cloudml.json` when it is whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .labels import Labels, labels_of
from .manifest import MANIFEST, described, write_manifest
from .not_exportable import NotExportableError
from .picture import picture_of
from .preprocessing import resolved
from .saved_model import write_saved_model
from .unwritable import unwritable_backend

__all__ = ["MANIFEST", "NotExportableError", "export_model", "saved_model_files", "unwritable_backend"]


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
    why = unwritable_backend()
    if why:
        raise NotExportableError(why, "Train it with the TensorFlow or the JAX backend to have it served.")
    found = captured or {}
    taken = picture_of(model, picture, resize)
    before = resolved(preprocess, found) if preprocess is not None and taken is not None else None
    if preprocess is not None and taken is None:
        warn(f"--preprocess {preprocess} is for models that take pictures; this one is exported without it.")
    written = write_saved_model(model, folder, taken, before)
    manifest = described(model, name, written, taken, before, source_sha256)
    manifest["labels"] = labels_of(labels, found, manifest["signatures"]["serving_default"]["outputs"], warn)
    write_manifest(folder, manifest)
    return manifest


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
