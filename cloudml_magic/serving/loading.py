"""Chooses the engine, loads the model and computes once, so that the first request is not the slow one."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

import numpy as np

from cloudml_magic.model_folder import MANIFEST, read_folder
from cloudml_magic.records import Signature
from cloudml_magic.serving.certificate import digest_of, read_certificate
from cloudml_magic.serving.engines import Engine, Tensors
from cloudml_magic.serving.model_source import local_folder
from cloudml_magic.serving.predictor import LoadedModel
from cloudml_magic.serving.settings import ServingSettings

_WARM_ROWS = (1, 2, 4, 8)
_WARM_BYTES = 16 * 1024 * 1024


def load(settings: ServingSettings) -> LoadedModel:
    """Raises CloudMLError where the folder holds no model that can be served."""
    folder = local_folder(settings.source)
    interface = read_folder(folder)
    engine = chosen_engine(folder, settings.engine_folder)
    for signature in interface.signatures.values():
        _warm(engine, signature)
    # TensorFlow leaves hundreds of thousands of objects, which each collection would visit anew.
    gc.collect()
    gc.freeze()
    manifest = folder / MANIFEST
    return LoadedModel(interface, engine, json.loads(manifest.read_bytes()) if manifest.is_file() else None)


def chosen_engine(folder: Path, engine_folder: Path | None) -> Engine:
    """The fast engine where its certificate is of this very export, else TensorFlow."""
    why = "No fast engine was asked for."
    if engine_folder is not None:
        certificate = read_certificate(engine_folder)
        if certificate is None:
            why = "The fast engine has no readable certificate."
        elif certificate.digest != digest_of(folder):
            why = "The fast engine was certified for another export of the model."
        elif certificate.engine == "tensorflow":
            why = certificate.why
        else:
            from cloudml_magic.serving.engines.onnx_engine import OnnxEngine

            return OnnxEngine(engine_folder, certificate)
    from cloudml_magic.serving.engines.tensorflow_engine import TensorFlowEngine

    return TensorFlowEngine(folder, why)


def _warm(engine: Engine, signature: Signature) -> None:
    """The first call of a signature is slow, and with TensorFlow the first one of each number of rows."""
    if not engine.answers(signature.name):
        return
    for rows in _WARM_ROWS if engine.name == "tensorflow" else _WARM_ROWS[:1]:
        inputs = _zeros(signature, rows)
        if inputs is None or sum(array.nbytes for array in inputs.values()) > _WARM_BYTES:
            return
        try:
            engine.run(signature.name, inputs)
        except Exception:
            # Zeros need not be valid inputs; what is wrong with the model itself shows at the first request.
            return


def _zeros(signature: Signature, rows: int) -> Tensors | None:
    inputs: dict[str, Any] = {}
    for spec in signature.inputs:
        if spec.dtype == "string" or not spec.shape or spec.shape[0] is not None:
            return None
        try:
            inputs[spec.name] = np.zeros((rows, *(size or 1 for size in spec.shape[1:])), spec.dtype)
        except TypeError:
            return None
    return inputs
