"""Which of Keras's backends can write no SavedModel here."""

from __future__ import annotations

import importlib.util
import os
import sys

_WRITING = ("tensorflow", "jax")


def unwritable_backend(backend: str | None = None) -> str | None:
    """Why models of a backend (the one in use, if none is named) cannot be exported here; None where they can."""
    keras = sys.modules.get("keras")
    used = backend or (keras.backend.backend() if keras else os.environ.get("KERAS_BACKEND") or "tensorflow")
    if used == "torch":
        return "Keras writes no SavedModel of a model of the PyTorch backend without torch_xla, so it cannot be served."
    if used not in _WRITING:
        return f"Keras writes no SavedModel of a model of the {used} backend, so it cannot be served."
    if importlib.util.find_spec("tensorflow") is None:
        return "A SavedModel is written by TensorFlow, which is not installed."
    return None
