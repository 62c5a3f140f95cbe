"""How models of each of Keras's backends become SavedModels, and where none can be written."""

from __future__ import annotations

import importlib.util

# Their tensors can be traced into TensorFlow's graph; a model of another goes through its file.
_TRACED = ("tensorflow", "jax")


def is_traced(backend: str) -> bool:
    """Whether Keras writes SavedModels of this backend itself."""
    return backend in _TRACED


def lacking_tensorflow() -> str | None:
    """Why nothing can be exported here; None where it can."""
    if importlib.util.find_spec("tensorflow") is None:
        return "A SavedModel is written by TensorFlow, which is not installed."
    return None
