"""Models that are known by what their manifest says of them: a deployed one, and a job's export, asked here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.evaluation.kernel_model import several_outputs
from cloudml_magic.pipeline.prediction import predict
from cloudml_magic.pipeline.prediction.given import DEFAULT_SIGNATURE, TENSORS_SIGNATURE
from cloudml_magic.pipeline.prediction.pictures import Picture
from cloudml_magic.pipeline.prediction.tensors_given import tensors_in
from cloudml_magic.records import ModelInterface, PictureInput, Signature
from cloudml_magic.serving.engines import Engine, ModelRefusedError


@dataclass(frozen=True, slots=True)
class _DescribedModel:
    name: str
    interface: ModelInterface

    @property
    def labels(self) -> tuple[str, ...]:
        return next(iter(self.interface.labels.values()), ())

    @property
    def picture(self) -> PictureInput | None:
        return self.interface.picture

    @property
    def rank(self) -> int | None:
        asked = self._of_tensors
        return len(asked.inputs[0].shape) if asked and asked.inputs else None

    def activation(self, outputs: Any) -> str:
        return next(iter(self.interface.activations.values()), "")

    @property
    def _of_tensors(self) -> Signature | None:
        signatures = self.interface.signatures
        return signatures.get(TENSORS_SIGNATURE) or signatures.get(DEFAULT_SIGNATURE)


@dataclass(frozen=True, slots=True)
class DeployedModel(_DescribedModel):
    """A model that is asked over its endpoint, as `%ml_predict` asks it."""

    def of_values(self, values: Any) -> Any:
        # Whole bytes would be taken for pictures; an evaluation gives the model numbers as they are.
        return self._outputs(values.astype("float32") if str(getattr(values, "dtype", "")) == "uint8" else values)

    def of_pictures(self, pictures: Sequence[Picture]) -> Any:
        return self._outputs([picture.content for picture in pictures])

    def _outputs(self, instances: Any) -> Any:
        import numpy as np

        values = predict(self.name, instances).values
        if values and isinstance(values[0], dict):
            raise several_outputs(self.name, len(values[0]))
        return np.asarray(values, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class ExportedModel(_DescribedModel):
    """A job's SavedModel in this kernel: it prepares pictures by a function that perhaps only the job knows."""

    engine: Engine

    @classmethod
    def loaded(cls, name: str, interface: ModelInterface, folder: Path) -> ExportedModel:
        """Loads it whole: its folder is not needed afterwards."""
        from cloudml_magic.serving.engines.tensorflow_engine import TensorFlowEngine

        return cls(name, interface, TensorFlowEngine(folder, "It is asked in this kernel."))

    def of_values(self, values: Any) -> Any:
        asked = self._of_tensors
        assert asked is not None
        return self._outputs(asked.name, tensors_in(values, asked))

    def of_pictures(self, pictures: Sequence[Picture]) -> Any:
        import numpy as np

        (taken,) = self.interface.signatures[DEFAULT_SIGNATURE].inputs
        contents = np.array([picture.content for picture in pictures], object)
        return self._outputs(DEFAULT_SIGNATURE, {taken.name: contents})

    def _outputs(self, signature: str, tensors: Mapping[str, Any]) -> Any:
        import numpy as np

        try:
            answered = self.engine.run(signature, tensors)
        except ModelRefusedError as problem:
            raise CloudMLError(
                "not-evaluable",
                f"The model {self.name} refuses an example.",
                why=f"TensorFlow says: {problem}",
                next="Leave it out, or give it as training did.",
            ) from problem
        if len(answered) > 1:
            raise several_outputs(self.name, len(answered))
        (output,) = answered.values()
        return np.asarray(output, dtype=np.float64)
