"""Brings the model to this machine and reads what it takes and gives."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from cloudml_magic.errors import CloudMLError
from cloudml_magic.model_folder import check_files, check_operations
from cloudml_magic.storage import Address, ObjectStorage

TRUST = "CLOUDML_SERVING_TRUST"
"""The variable that is `1` where the user trusts the model to do more than compute."""


def local_folder(source: str) -> Path:
    """The model folder, whole and no more than a computation; one in a bucket is fetched to a temporary folder."""
    folder = _fetched(Address.parse(source)) if source.startswith("gs://") else Path(source)
    if not folder.is_dir():
        raise CloudMLError(
            "no-model-folder",
            f"There is no model folder {source}.",
            next="Name the folder that holds saved_model.pb.",
        )
    check_files(folder)
    if os.environ.get(TRUST) != "1":
        check_operations(folder)
    return folder


def _fetched(address: Address) -> Path:
    from google.cloud import storage

    objects = ObjectStorage(storage.Client)
    folder = Path(tempfile.mkdtemp(prefix="model-"))
    names = objects.names(address)
    if not names:
        raise CloudMLError("no-model-folder", f"There is nothing at {address}.", next="Check the model's address.")
    for name in names:
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise CloudMLError("bad-object-name", f"{address} holds an object named {name!r}.", next="Remove it.")
        if name.endswith("/"):
            continue
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        objects.download(address / name, target)
    return folder
