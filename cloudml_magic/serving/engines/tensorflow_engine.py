"""The reference engine: the SavedModel itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.serving.engines.engine import ModelRefusedError, Tensors


class TensorFlowEngine:
    """Calls the signatures of a SavedModel."""

    name = "tensorflow"
    batch_bytes = 16 * 1024 * 1024

    def __init__(self, folder: Path, why: str) -> None:
        self.why = why
        # Its start-up notes are no errors, and nobody could act on them.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        import tensorflow

        self._constant = tensorflow.constant
        self._refusals = (tensorflow.errors.InvalidArgumentError, tensorflow.errors.OutOfRangeError)
        try:
            # The model owns the variables that its signatures only refer to.
            self._model = tensorflow.saved_model.load(str(folder))
        except Exception as problem:
            raise CloudMLError(
                "model-unloadable",
                f"TensorFlow {tensorflow.__version__} cannot load the model in {folder}.",
                why=_first_sentence(str(problem)),
                next="Copy the whole folder again, or export it with a version of TensorFlow no newer than this one.",
            ) from problem
        self._signatures: dict[str, Any] = dict(self._model.signatures)

    def answers(self, signature: str) -> bool:
        return signature in self._signatures

    def concrete(self, signature: str) -> Any:
        """The signature as TensorFlow's own function, for conversion."""
        return self._signatures[signature]

    def run(self, signature: str, inputs: Tensors) -> Tensors:
        constants = {name: self._constant(array) for name, array in inputs.items()}
        try:
            outputs = self._signatures[signature](**constants)
            return {name: tensor.numpy() for name, tensor in outputs.items()}
        except self._refusals as problem:
            raise ModelRefusedError(_first_sentence(problem.message)) from None


def _first_sentence(message: str) -> str:
    """What TensorFlow says before it lists the nodes of its graph."""
    line = next((line for line in message.splitlines() if line.strip()), "it gave no reason")
    return line.partition("\t [[")[0].partition(" [[{{")[0].strip()[:300]
