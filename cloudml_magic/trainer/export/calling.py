"""How a model is called by the names of its inputs, whatever structure it wants them in."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .not_exportable import NotExportableError

Shape = tuple[int | None, ...]


def is_keras_model(value: Any) -> bool:
    """Whether a value is a Keras model; Keras is not imported to find out."""
    return any(
        isinstance(value, sys.modules[name].Model)
        for name in ("keras", "tf_keras")
        if hasattr(sys.modules.get(name), "Model")
    )


@dataclass(frozen=True)
class Input:
    """One input of a model."""

    name: str
    dtype: str
    shape: Shape


@dataclass
class Calling:
    """The inputs in the model's order, and the call; the order of the outputs is known once it was made."""

    inputs: tuple[Input, ...]
    arguments: Callable[[Mapping[str, Any]], tuple[tuple[Any, ...], dict[str, Any]]]
    model: Any
    output_order: list[str] = field(default_factory=list)

    def __call__(self, values: Mapping[str, Any]) -> dict[str, Any]:
        positional, named = self.arguments(values)
        outputs = _named(self.model, self.model(*positional, **named))
        self.output_order[:] = outputs
        return outputs


def calling_of(model: Any, text: bool = False) -> Calling:
    """Reads it from a functional model's own inputs, or from the first call of a subclassed one.

    Keras keeps the shapes of that call, not the dtypes: `text` says that they are strings.
    """
    import keras

    if not isinstance(model, keras.Model):
        raise NotExportableError(
            f"A {type(model).__module__}.{type(model).__name__} is no Keras 3 model.",
            "Export a model made with Keras 3 (`import keras`).",
        )
    if not model.built:
        raise NotExportableError(
            f"The model {model.name} has never been called, so its inputs are unknown.",
            "Call it once, or train it, before it is exported.",
        )
    structure = _structure(model)
    if structure is not None:
        return _functional(model, structure)
    return _subclassed(model, "string" if text else str(model.input_dtype))


def readings_of(model: Any) -> tuple[bool, ...]:
    """Whether the model takes text, the likelier answer first; one answer where its inputs are known."""
    if _structure(model) is not None:
        return (False,)
    # A lookup of text takes numbers too, as their digits.
    return (True, False) if _reads_text(model) else (False, True)


def _reads_text(layer: Any) -> bool:
    if type(layer).__name__ in ("StringLookup", "TextVectorization"):
        return True
    return any(map(_reads_text, getattr(layer, "layers", None) or ()))


def _structure(model: Any) -> Any:
    """The symbolic inputs of a functional model as it wants them; None where it has none."""
    import keras

    if isinstance(model, keras.Sequential):
        inputs = getattr(model, "inputs", None)
        return inputs[0] if inputs else None
    return getattr(model, "_inputs_struct", None)


def _functional(model: Any, structure: Any) -> Calling:
    import keras

    keyed = isinstance(structure, dict) and all(hasattr(tensor, "shape") for tensor in structure.values())
    pairs = (
        list(structure.items()) if keyed else [(_own_name(tensor), tensor) for tensor in keras.tree.flatten(structure)]
    )
    names = _unique(name for name, _ in pairs)
    by_tensor = {id(tensor): name for name, (_, tensor) in zip(names, pairs, strict=True)}
    inputs = tuple(_input(name, tensor) for name, (_, tensor) in zip(names, pairs, strict=True))

    def arguments(values: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (keras.tree.map_structure(lambda tensor: values[by_tensor[id(tensor)]], structure),), {}

    return Calling(inputs, arguments, model)


def _own_name(tensor: Any) -> str:
    """The name of the input's layer, which is the one that the user gave."""
    history = getattr(tensor, "_keras_history", None)
    return str(history.operation.name if history else tensor.name)


def _input(name: str, tensor: Any) -> Input:
    if getattr(tensor, "sparse", False) or getattr(tensor, "ragged", False):
        raise NotExportableError(
            f"The input {name} is sparse or ragged, which a request cannot carry.",
            "Give the model a dense input, and turn it into a sparse one inside.",
        )
    return Input(name, str(tensor.dtype), (None, *tensor.shape[1:]))


def _subclassed(model: Any, dtype: str) -> Calling:
    shapes = getattr(model, "_build_shapes_dict", None)
    if not shapes:
        raise NotExportableError(
            f"What the model {model.name} takes is unknown: it was never called with data.",
            "Call it once on a batch before it is exported.",
        )
    found = [one for one in inspect.signature(model.call).parameters.values() if one.name not in ("training", "mask")]
    parameters = [one.name for one in found]
    if len(shapes) < sum(one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD for one in found):
        raise NotExportableError(
            f"Of what the model {model.name} is called with Keras remembers the first argument alone.",
            "Let `call` take its inputs as one dictionary, or build the model from keras.Input.",
        )
    if len(shapes) == 1:
        shapes = {parameters[0]: next(iter(shapes.values()))}
    inputs: list[Input] = []

    def named(path: str, shape: Any) -> Any:
        """The structure of the shapes with the name of an input in each one's place."""
        if isinstance(shape, dict):
            return {key: named(str(key), item) for key, item in shape.items()}
        if shape and not all(size is None or isinstance(size, int) for size in shape):
            return [named(f"{path}_{index}", item) for index, item in enumerate(shape)]
        name = _unique([path], {one.name for one in inputs})[0]
        inputs.append(Input(name, dtype, (None, *shape[1:])))
        return name

    structure = {key.removesuffix("_shape"): named(key.removesuffix("_shape"), item) for key, item in shapes.items()}

    def arguments(values: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        import keras

        filled = keras.tree.map_structure(lambda name: values[name], structure)
        first = filled.pop(parameters[0], None)
        return ((first,), filled) if first is not None else ((), filled)

    return Calling(tuple(inputs), arguments, model)


def _named(model: Any, outputs: Any) -> dict[str, Any]:
    import keras

    if isinstance(outputs, dict) and all(hasattr(tensor, "shape") for tensor in outputs.values()):
        return dict(zip(_unique(outputs), outputs.values(), strict=True))
    flat = keras.tree.flatten(outputs)
    if len(flat) == 1:
        return {"output_0": flat[0]}
    names = getattr(model, "output_names", None) or []
    if len(names) != len(flat):
        names = [f"output_{index}" for index in range(len(flat))]
    return dict(zip(_unique(names), flat, strict=True))


def _unique(names: Iterable[Any], taken: Iterable[str] = ()) -> list[str]:
    """Names as a signature can hold them: letters, digits and underscores, each once."""
    found: list[str] = list(taken)
    begin = len(found)
    for name in names:
        plain = re.sub(r"\W", "_", str(name), flags=re.ASCII) or "input"
        plain = f"_{plain}" if plain[0].isdigit() else plain
        number = 1
        while (free := plain if number == 1 else f"{plain}_{number}") in found:
            number += 1
        found.append(free)
    return found[begin:]
