"""Numbers and texts that a user gave, by input of the model: rows, columns, frames, arrays."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cloudml_magic.records import Signature, TensorSpec
from cloudml_magic.serving.instances import check, tensors_of_rows
from cloudml_magic.serving.shapes import fits, with_batch


def tensors_in(value: Any, signature: Signature) -> dict[str, Any]:
    """The tensors of a signature's inputs; raises CloudMLError with the smallest change where a value does not fit."""
    if is_frame(value):
        return _of_frame(value, signature)
    if isinstance(value, Mapping) and tuple(value) != ("b64",):
        return _of_mapping(value, signature)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        if value and all(isinstance(item, Mapping) and tuple(item) != ("b64",) for item in value):
            return _of_rows([by_input(row, signature) for row in value], signature)
        if len(signature.inputs) > 1 and len(value) == len(signature.inputs) and all(map(_is_array, value)):
            # As `model.predict([a, b])` takes several inputs.
            named = zip(signature.inputs, value, strict=True)
            return check(signature, {spec.name: _shaped(item, spec) for spec, item in named})
    (spec, *others) = signature.inputs
    if others:
        return tensors_of_rows(signature, value if isinstance(value, list) else [value])
    return check(signature, {spec.name: _shaped(value, spec)})


def by_input(named: Any, signature: Signature) -> dict[str, Any]:
    """By the names of the model's inputs: an export writes `hours per week` as `hours_per_week`."""
    known = {spec.name for spec in signature.inputs}
    found = {}
    for key, item in named.items():
        name = str(key)
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        found[plain if name not in known and plain in known else name] = item
    return found


def is_frame(value: Any) -> bool:
    """Whether it is a frame of pandas, told without importing it."""
    return type(value).__module__.partition(".")[0] == "pandas" and hasattr(value, "columns")


def _of_mapping(value: Mapping[Any, Any], signature: Signature) -> dict[str, Any]:
    """Columns, each with the values of all instances; or one instance, each with its own."""
    named = by_input(value, signature)
    specs = {spec.name: spec for spec in signature.inputs}
    if all(_is_single(named[name], spec) for name, spec in specs.items() if name in named):
        return _of_rows([named], signature)
    return _of_columns(named, signature)


def _of_columns(columns: Mapping[str, Any], signature: Signature) -> dict[str, Any]:
    specs = {spec.name: spec for spec in signature.inputs}
    return check(
        signature, {name: _shaped(item, specs[name]) if name in specs else item for name, item in columns.items()}
    )


def _of_rows(rows: list[dict[str, Any]], signature: Signature) -> dict[str, Any]:
    """Rows by name; a bare number stands for an input of one value."""
    ones = {spec.name for spec in signature.inputs if spec.shape[1:] == (1,)}
    wrapped = [
        {name: [item] if name in ones and _shape(item) == () else _listed(item) for name, item in row.items()}
        for row in rows
    ]
    return tensors_of_rows(signature, wrapped)


def _of_frame(frame: Any, signature: Signature) -> dict[str, Any]:
    frame = _with_indicators(frame, signature)
    named = by_input(frame, signature)
    if len(signature.inputs) == 1 and signature.inputs[0].name not in named:
        spec = signature.inputs[0]
        return check(signature, {spec.name: _shaped(frame.to_numpy(), spec)})
    return _of_columns({name: column.to_numpy() for name, column in named.items()}, signature)


def _with_indicators(frame: Any, signature: Signature) -> Any:
    """Columns of true and false, as `pandas.get_dummies` makes them, are 1 and 0 for a model of numbers."""
    if any(spec.dtype in ("bool", "string") for spec in signature.inputs):
        return frame
    return frame.astype({name: "int8" for name in frame.columns if str(frame[name].dtype) == "bool"})


def _shaped(value: Any, spec: TensorSpec) -> Any:
    """With the batch dimension, if one instance was given without; and a column for an input of one value."""
    is_array, shape = _is_array(value), _shape(value)
    if spec.shape[1:] == (1,) and len(shape) <= 1:
        return value.reshape(-1, 1) if is_array else [[item] for item in (value if shape else [value])]
    if is_array:
        return with_batch(spec, value) if spec.shape else value
    is_one = bool(spec.shape) and fits(spec.shape[1:], shape) and not fits(spec.shape, shape)
    return [value] if is_one else value


def _is_single(value: Any, spec: TensorSpec) -> bool:
    """Whether a value of a dictionary is one instance's, not a batch."""
    shape = _shape(value)
    return fits(spec.shape[1:], shape) or (shape == () and spec.shape[1:] == (1,))


def _shape(value: Any) -> tuple[int, ...]:
    """The shape of an array or of nested lists, by their first items."""
    if hasattr(value, "shape"):
        return tuple(value.shape)
    return (len(value), *(_shape(value[0]) if value else ())) if isinstance(value, list | tuple) else ()


def _listed(item: Any) -> Any:
    return item.tolist() if _is_array(item) else item


def _is_array(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "numpy"
