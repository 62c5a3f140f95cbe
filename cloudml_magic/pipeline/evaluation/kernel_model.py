"""A Keras model of this kernel, asked batch by batch; pictures become what its export would make of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.noticed import noticed_preprocessing
from cloudml_magic.pipeline.prediction.pictures import Picture
from cloudml_magic.pipeline.prediction.tensors_given import tensors_in
from cloudml_magic.pipeline.session import notebook_namespace
from cloudml_magic.records import PictureInput, Signature, TensorSpec
from cloudml_magic.trainer.export import NotExportableError
from cloudml_magic.trainer.export.calling import Calling, calling_of, readings_of
from cloudml_magic.trainer.export.picture import INPUT, RESIZES, decoded, picture_of
from cloudml_magic.trainer.export.picture import Picture as TakenPicture
from cloudml_magic.trainer.export.preprocessing import resolved
from cloudml_magic.trainer.export.task import activations_of

Preprocess = str | Callable[..., Any] | None


@dataclass(frozen=True, slots=True)
class KernelModel:
    """A loaded model; `taken` is how it takes pictures, `preprocess` what is done to them first."""

    model: Any
    name: str
    labels: tuple[str, ...]
    calling: Calling
    taken: TakenPicture | None
    preprocess: Preprocess

    @classmethod
    def of(
        cls,
        model: Any,
        name: str,
        labels: Sequence[str] = (),
        *,
        preprocess: Preprocess = None,
        resize: str | None = None,
    ) -> KernelModel:
        """Reads what the model takes; what the notebook does to pictures is noticed where it is not said."""
        try:
            taken = picture_of(model, None, resize or RESIZES[0])
            if preprocess is None and taken is not None:
                preprocess = noticed_preprocessing(model, None, taken.resize)
            calling = calling_of(model, readings_of(model)[0])
        except NotExportableError as problem:
            raise _not_evaluable(name, problem) from problem
        return cls(model, name, tuple(labels), calling, taken, preprocess)

    @property
    def picture(self) -> PictureInput | None:
        if self.taken is None:
            return None
        return PictureInput(INPUT, self.taken.height, self.taken.width, self.taken.channels, self.taken.resize)

    @property
    def rank(self) -> int | None:
        return len(self.calling.inputs[0].shape)

    def of_values(self, values: Any) -> Any:
        """The outputs for what `model.predict` takes."""
        inputs = tuple(TensorSpec(one.name, one.dtype, one.shape) for one in self.calling.inputs)
        return self._outputs(tensors_in(values, Signature("tensors", inputs, ())))

    def of_pictures(self, pictures: Sequence[Picture]) -> Any:
        """The outputs for encoded pictures: decoded, resized and preprocessed as in the exported model."""
        import tensorflow as tf

        assert self.taken is not None
        pixels = decoded(tf.constant([picture.content for picture in pictures]), self.taken)
        if self.preprocess is not None:
            try:
                pixels = resolved(self.preprocess, notebook_namespace()).apply(pixels)
            except NotExportableError as problem:
                raise _not_evaluable(self.name, problem) from problem
        return self._outputs({self.taken.input.name: self.taken.fitted(pixels)})

    def activation(self, outputs: Any) -> str:
        """Of the last layer, with the loss that it was trained with."""
        return next(iter(activations_of(self.model, {"output_0": {"shape": outputs.shape}}).values()), "")

    def _outputs(self, tensors: Any) -> Any:
        import keras
        import numpy as np

        answered = self.calling(tensors)
        if len(answered) > 1:
            raise several_outputs(self.name, len(answered))
        (output,) = answered.values()
        return np.asarray(keras.ops.convert_to_numpy(output), dtype=np.float64)


def _not_evaluable(name: str, problem: NotExportableError) -> CloudMLError:
    return CloudMLError("not-evaluable", f"The model {name} cannot be evaluated.", why=problem.why, next=problem.next)


def several_outputs(name: str, count: int) -> CloudMLError:
    """An evaluation is of one answer for each example."""
    return CloudMLError(
        "several-outputs",
        f"The model {name} gives {count} outputs; an evaluation is of one.",
        next="Make a model of the output that counts, `keras.Model(model.inputs, model.outputs[0])`,"
        " and evaluate that.",
    )
