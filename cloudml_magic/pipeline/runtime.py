"""What the job's runtime is, judged from this kernel: Keras's backend, the image that carries it, what it holds."""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

from cloudml_magic.source import runtime_distributions

_BACKENDS = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}
_DISTRIBUTIONS = {"tensorflow": ("tensorflow", "tensorflow-cpu", "tf-nightly"), "jax": ("jax",), "torch": ("torch",)}
_FALLBACK_VERSIONS = {"tensorflow": "2.21.0", "jax": "0.10.2", "torch": "2.13.0"}


def kernel_backend() -> str:
    """The backend of this kernel's Keras, without importing it: as loaded, as set, as configured, or TensorFlow."""
    keras = sys.modules.get("keras")
    if keras is not None and hasattr(keras, "config"):
        return str(keras.config.backend())
    if chosen := os.environ.get("KERAS_BACKEND"):
        return _BACKENDS.get(chosen, "tensorflow")
    folder = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    try:
        configured = json.loads((folder / "keras.json").read_text("utf-8")).get("backend")
    except (OSError, ValueError, AttributeError):
        configured = None
    return _BACKENDS.get(str(configured), "tensorflow")


def default_image(backend: str, *, with_gpu: bool) -> str:
    """The public image that carries the kernel's own version of the backend."""
    version = _backend_version(backend)
    if backend == "jax":
        return "ghcr.io/nvidia/jax:jax"
    if backend == "torch":
        return f"pytorch/pytorch:{version}-cuda13.0-cudnn9-runtime"
    return f"tensorflow/tensorflow:{version}{'-gpu' if with_gpu else ''}"


def serving_image(tensorflow: str | None) -> str:
    """TensorFlow Serving's public image of the version that exported a model, else of this kernel's."""
    return f"tensorflow/serving:{tensorflow or _backend_version('tensorflow')}"


def held_distributions(backend: str) -> frozenset[str]:
    """What the image brings: the backend, and for TensorFlow also Keras, with all they need."""
    roots = _DISTRIBUTIONS[backend]
    return runtime_distributions((*roots, "keras") if backend == "tensorflow" else roots)


@cache
def _backend_version(backend: str) -> str:
    for distribution in _DISTRIBUTIONS[backend]:
        try:
            return metadata.version(distribution).partition("+")[0]
        except metadata.PackageNotFoundError:
            continue
    return _FALLBACK_VERSIONS[backend]
