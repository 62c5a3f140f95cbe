"""From the files of a model folder to what the model takes and gives: its manifest, or else its signatures."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.model_folder.saved_model import UnreadableError, read_saved_model
from cloudml_magic.records import ModelInterface, PictureInput, Signature, TensorSpec

MANIFEST = "cloudml.json"
SAVED_MODEL = "saved_model.pb"
_SCHEMA = 1


def read_folder(folder: Path) -> ModelInterface:
    """The interface of a model folder on this machine."""

    def read(name: str) -> bytes | None:
        path = folder / name
        return path.read_bytes() if path.is_file() else None

    return read_interface(read, str(folder))


def read_interface(read: Callable[[str], bytes | None], where: str) -> ModelInterface:
    """The interface of a model folder; `read` gives a file of it, or None. `where` is how errors call the folder."""
    manifest = read(MANIFEST)
    if manifest is not None:
        return _of_manifest(manifest, where)
    content = read(SAVED_MODEL)
    if content is None:
        raise CloudMLError(
            "no-saved-model",
            f"{where} holds no exported model.",
            why=f"There is neither {MANIFEST} nor {SAVED_MODEL} in it.",
            next="Export a Keras model with `%ml_export MODEL`, or name the folder that holds saved_model.pb.",
        )
    try:
        signatures, version = read_saved_model(content)
    except UnreadableError as problem:
        raise CloudMLError(
            "saved-model-unreadable",
            f"{where}/{SAVED_MODEL} cannot be read.",
            why=str(problem),
            next="Export the model again; a copy may have been cut off.",
        ) from None
    if not signatures:
        raise CloudMLError(
            "no-signature",
            f"The SavedModel in {where} has no signature, so nothing can be asked of it.",
            why="It was saved without `signatures`, as `tf.saved_model.save` does unless it is told.",
            next="Export it with `%ml_export MODEL`, or with Keras's `model.export(FOLDER)`.",
        )
    return ModelInterface(signatures, tensorflow=version)


def _of_manifest(content: bytes, where: str) -> ModelInterface:
    try:
        document = json.loads(content)
        if document["schema"] != _SCHEMA:
            raise CloudMLError(
                "manifest-too-new",
                f"{where}/{MANIFEST} has schema {document['schema']}; this version reads {_SCHEMA}.",
                next="Install the version of cloudml-magic that exported it, or a newer one.",
            )
        picture = document.get("picture")
        return ModelInterface(
            signatures={name: _signature(name, item) for name, item in document["signatures"].items()},
            picture=_picture(picture) if picture else None,
            task=str(document.get("task", "other")),
            labels={str(name): tuple(map(str, labels)) for name, labels in (document.get("labels") or {}).items()},
            activations={str(name): str(kind) for name, kind in (document.get("activations") or {}).items()},
            tensorflow=document.get("tensorflow"),
            digest=(document.get("source") or {}).get("sha256"),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as problem:
        raise CloudMLError(
            "manifest-unreadable",
            f"{where}/{MANIFEST} cannot be read.",
            why=f"{type(problem).__name__}: {problem}"[:300],
            next=f"Export the model again, or delete {MANIFEST}: then the SavedModel's own signatures are read.",
        ) from None


def _signature(name: str, document: Mapping[str, Any]) -> Signature:
    return Signature(name, _tensors(document["inputs"]), _tensors(document["outputs"]))


def _tensors(document: Mapping[str, Any]) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(str(name), str(item["dtype"]), tuple(None if size is None else int(size) for size in item["shape"]))
        for name, item in document.items()
    )


def _picture(document: Mapping[str, Any]) -> PictureInput:
    height, width = document["size"]
    return PictureInput(
        input=str(document["input"]),
        height=int(height),
        width=int(width),
        channels=int(document["channels"]),
        resize=str(document.get("resize", "stretch")),
        preprocess=document.get("preprocess"),
    )
