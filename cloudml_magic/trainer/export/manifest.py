"""Writes `cloudml.json`, which says of an exported model all that one needs to ask it."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import Any

from .picture import INPUT, Picture
from .preprocessing import Preprocessing
from .saved_model import Signatures
from .task import activations_of, task_of

MANIFEST = "cloudml.json"


def described(
    model: Any,
    name: str,
    signatures: Signatures,
    picture: Picture | None,
    before: Preprocessing | None,
) -> dict[str, Any]:
    """What the manifest says of the model itself."""
    import keras

    outputs = signatures["serving_default"]["outputs"]
    activations = activations_of(model, outputs)
    return {
        "schema": 1,
        "model": name,
        "task": task_of(model, outputs, activations),
        "signatures": signatures,
        "picture": _picture(picture, before) if picture else None,
        "labels": {},
        "activations": activations,
        "backend": keras.backend.backend(),
        "keras": keras.__version__,
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
    }


def _picture(picture: Picture, before: Preprocessing | None) -> dict[str, Any]:
    return {
        "input": INPUT,
        "size": [picture.height, picture.width],
        "channels": picture.channels,
        "resize": picture.resize,
        "preprocess": before.name if before else None,
    }


def write_manifest(folder: str, manifest: dict[str, Any]) -> None:
    """Adds the digest of each file of the SavedModel, and writes the manifest as the last file."""
    manifest["files"] = _digests(folder)
    with open(os.path.join(folder, MANIFEST), "w", encoding="utf-8", errors="backslashreplace") as file:
        json.dump(manifest, file, indent=1, ensure_ascii=False)


def _digests(folder: str) -> dict[str, str]:
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            found[os.path.relpath(path, folder).replace(os.sep, "/")] = _digest(path)
    return dict(sorted(found.items()))


def _digest(path: str) -> str:
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            sha.update(chunk)
    return sha.hexdigest()
