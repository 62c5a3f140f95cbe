"""What tells one export from another before it is made, so that the same model is not exported twice."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudml_magic.pipeline.model_file import is_of_keras
from cloudml_magic.trainer.export.labels import Labels, as_names, labels_of_datasets
from cloudml_magic.trainer.export.preprocessing import name_of, needs_no_notebook
from cloudml_magic.version import VERSION

_CONFIG, _DATED = "config.json", "metadata.json"


@dataclass(frozen=True, slots=True)
class Asked:
    """A model and how it is to be exported; `source` is the digest of the file that it was loaded from."""

    model: Any
    name: str
    labels: Labels
    preprocess: str | Callable[..., Any] | None
    resize: str
    picture: bool | None
    source: str | None


def identity_of(asked: Asked, namespace: Mapping[str, Any]) -> str | None:
    """A digest of the model and of all that its export depends on; None where code of the user's own is part of it.

    Such code may call anything else of the notebook, so nothing short of a new export tells whether it is the same.
    """
    preprocess = name_of(asked.preprocess) if callable(asked.preprocess) else asked.preprocess
    if preprocess is not None and not needs_no_notebook(preprocess.replace(" ", "")):
        return None
    saved = _saved(asked.model)
    if saved is None:
        return None
    import keras

    parts = [VERSION, keras.__version__, keras.backend.backend(), asked.name, _labels(asked.labels, namespace)]
    parts += [preprocess, asked.resize, asked.picture, asked.source, saved]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _saved(model: Any) -> dict[str, str] | None:
    """The digests of what Keras saves of a model; None if it cannot be saved, or is not Keras's own in all parts."""
    with tempfile.TemporaryDirectory(prefix="cloudml-") as folder:
        file = Path(folder) / "model.keras"
        try:
            model.save(file)
        except Exception:
            # Whether it can be exported all the same, the export will say.
            return None
        with zipfile.ZipFile(file) as archive:
            config = json.loads(archive.read(_CONFIG))
            if not is_of_keras(config):
                return None
            digests = {_CONFIG: hashlib.sha256(json.dumps(_lasting(config), sort_keys=True).encode()).hexdigest()}
            for name in archive.namelist():
                if name not in (_CONFIG, _DATED):
                    with archive.open(name) as stream:
                        digests[name] = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    return digests


def _lasting(config: Any) -> Any:
    """A description without the addresses in memory that Keras notes in it."""
    if isinstance(config, dict):
        return {name: _lasting(item) for name, item in config.items() if name != "shared_object_id"}
    return [_lasting(item) for item in config] if isinstance(config, list) else config


def _labels(given: Labels, namespace: Mapping[str, Any]) -> Any:
    """The names themselves, not those of the variables that hold them."""
    if given is None:
        return labels_of_datasets(namespace)
    if isinstance(given, str):
        value = namespace.get(given)
        return [given, as_names(getattr(value, "class_names", value))]
    if isinstance(given, Mapping):
        return {str(output): list(map(str, names)) for output, names in given.items()}
    return [str(name) for name in given]
