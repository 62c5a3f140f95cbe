"""What a user gave to a prediction (arrays, frames, lists, dicts, pictures, paths, bytes), told apart by the model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.prediction.pictures import (
    Picture,
    picture_of,
    picture_of_array,
    picture_of_image,
    thumbnails_of_arrays,
)
from cloudml_magic.records import ModelInterface, PictureInput, Signature, TensorSpec
from cloudml_magic.serving.instances import check, tensors_of_rows
from cloudml_magic.serving.shapes import fits, with_batch

DEFAULT_SIGNATURE = "serving_default"
TENSORS_SIGNATURE = "tensors"
Read = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Given:
    """What goes to a signature: the tensors of its inputs, or pictures; and what the card shows of each instance."""

    signature: Signature
    tensors: Mapping[str, Any] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    thumbnails: tuple[bytes | None, ...] = ()

    @property
    def count(self) -> int:
        """How many instances there are."""
        return len(self.pictures) or len(next(iter(self.tensors.values())))


def given(value: Any, interface: ModelInterface, read: Read, largest: int) -> Given:
    """Decides by the model what a value is; raises CloudMLError with the smallest change where it does not fit.

    `read` fetches a path or gs:// address; `largest` is the size of a picture that can be sent, in bytes.
    """
    value = _plain(value)
    picture = interface.picture
    if picture is not None:
        items = _picture_items(value)
        if items is not None:
            pictures = tuple(_picture(item, picture, read, largest) for item in items)
            return Given(interface.signatures[DEFAULT_SIGNATURE], pictures=pictures)
    signature = _tensor_signature(interface)
    tensors = _tensors(value, signature)
    first = tensors[signature.inputs[0].name]
    thumbnails = thumbnails_of_arrays(first) if picture is not None else []
    return Given(signature, tensors, thumbnails=tuple(thumbnails))


# --- pictures ---


def _picture_items(value: Any) -> list[Any] | None:
    """The pictures that a value holds; None if it holds numbers for the model itself."""
    if _is_picture(value):
        return [value]
    if _is_bytes_array(value):
        return list(value) if value.ndim == 4 else [value]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes) and len(value):
        items = [_plain(item) for item in value]
        if all(_is_picture(item) or _is_bytes_array(item) for item in items):
            return items
    return None


def _is_picture(value: Any) -> bool:
    if isinstance(value, Mapping):
        return tuple(value) == ("b64",)
    return isinstance(value, str | bytes | bytearray | Path) or type(value).__module__.partition(".")[0] == "PIL"


def _is_bytes_array(value: Any) -> bool:
    """Whole numbers of one byte are pixels; other numbers are what `model.predict` takes."""
    return str(getattr(value, "dtype", "")) == "uint8" and getattr(value, "ndim", 0) in (2, 3, 4)


def _picture(item: Any, wanted: PictureInput, read: Read, largest: int) -> Picture:
    if isinstance(item, str | Path):
        text = str(item)
        return picture_of(read(text), text.rpartition("/")[2], largest, wanted)
    if isinstance(item, bytes | bytearray):
        return picture_of(bytes(item), "", largest, wanted)
    if isinstance(item, Mapping):
        from cloudml_magic.serving.tensors import decoded

        return picture_of(decoded(item["b64"], "an instance"), "", largest, wanted)
    if _is_bytes_array(item):
        return picture_of_array(item, "")
    return picture_of_image(item, str(getattr(item, "filename", "")).rpartition("/")[2], largest, wanted)


# --- tensors ---


def _tensor_signature(interface: ModelInterface) -> Signature:
    """The signature that takes what `model.predict` takes."""
    wanted = TENSORS_SIGNATURE if interface.picture is not None else DEFAULT_SIGNATURE
    if wanted in interface.signatures:
        return interface.signatures[wanted]
    if len(interface.signatures) == 1:
        return next(iter(interface.signatures.values()))
    raise CloudMLError(
        "no-default-signature",
        f"The model has no signature `{wanted}`.",
        why=f"It has {', '.join(interface.signatures)}.",
        next="Export the model with `%ml_export`, or name the signature when it is saved.",
    )


def _tensors(value: Any, signature: Signature) -> dict[str, Any]:
    if _is_frame(value):
        return _of_frame(value, signature)
    if isinstance(value, Mapping):
        return _of_mapping(value, signature)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        if value and all(isinstance(item, Mapping) for item in value):
            return _of_rows([_by_input(row, signature) for row in value], signature)
        if len(signature.inputs) > 1 and len(value) == len(signature.inputs) and all(map(_is_array, value)):
            # As `model.predict([a, b])` takes several inputs.
            named = zip(signature.inputs, value, strict=True)
            return check(signature, {spec.name: _shaped(item, spec) for spec, item in named})
    (spec, *others) = signature.inputs
    if others:
        return tensors_of_rows(signature, value if isinstance(value, list) else [value])
    return check(signature, {spec.name: _shaped(value, spec)})


def _of_mapping(value: Mapping[Any, Any], signature: Signature) -> dict[str, Any]:
    """Columns, each with the values of all instances; or one instance, each with its own."""
    named = {name: _plain(item) for name, item in _by_input(value, signature).items()}
    specs = {spec.name: spec for spec in signature.inputs}
    if all(_is_single(named[name], spec) for name, spec in specs.items() if name in named):
        return _of_rows([named], signature)
    return check(
        signature, {name: _shaped(item, specs[name]) if name in specs else item for name, item in named.items()}
    )


def _of_rows(rows: list[dict[str, Any]], signature: Signature) -> dict[str, Any]:
    """Rows by name; a bare number stands for an input of one value."""
    ones = {spec.name for spec in signature.inputs if spec.shape[1:] == (1,)}
    wrapped = [
        {name: [item] if name in ones and _shape(item) == () else _listed(item) for name, item in row.items()}
        for row in rows
    ]
    return tensors_of_rows(signature, wrapped)


def _by_input(named: Any, signature: Signature) -> dict[str, Any]:
    """By the names of the model's inputs: an export writes `hours per week` as `hours_per_week`."""
    known = {spec.name for spec in signature.inputs}
    found = {}
    for key, item in named.items():
        name = str(key)
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        found[plain if name not in known and plain in known else name] = item
    return found


def _listed(item: Any) -> Any:
    return item.tolist() if _is_array(item) else item


def _of_frame(frame: Any, signature: Signature) -> dict[str, Any]:
    if len(signature.inputs) == 1 and signature.inputs[0].name not in _by_input(frame, signature):
        spec = signature.inputs[0]
        return check(signature, {spec.name: frame.to_numpy()})
    specs = {spec.name: spec for spec in signature.inputs}
    columns = {name: column.to_numpy() for name, column in _by_input(frame, signature).items()}
    return check(
        signature, {name: _shaped(item, specs[name]) if name in specs else item for name, item in columns.items()}
    )


def _shaped(value: Any, spec: TensorSpec) -> Any:
    """With the batch dimension, if one instance was given without; and a column for an input of one value."""
    import numpy as np

    is_text = spec.dtype == "string"
    try:
        array = np.asarray([value] if isinstance(value, str | bytes) else value, object if is_text else None)
    except ValueError:
        return value  # Ragged: the check says where.
    if array.dtype.kind in "USO" and not is_text:
        return value
    if spec.shape[1:] == (1,) and array.ndim <= 1:
        array = array.reshape(-1, 1)
    elif spec.shape:
        array = with_batch(spec, array)
    return array.tolist() if is_text else array


def _is_single(value: Any, spec: TensorSpec) -> bool:
    """Whether a value of a dictionary is one instance's, not a batch."""
    shape = _shape(value)
    return fits(spec.shape[1:], shape) or (shape == () and spec.shape[1:] == (1,))


def _shape(value: Any) -> tuple[int, ...]:
    """The shape of an array or of nested lists, by their first items."""
    if hasattr(value, "shape"):
        return tuple(value.shape)
    return (len(value), *(_shape(value[0]) if value else ())) if isinstance(value, list | tuple) else ()


def _is_array(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "numpy"


def _is_frame(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "pandas" and hasattr(value, "columns")


def _plain(value: Any) -> Any:
    """Tensors of any framework and series as NumPy arrays; the rest as it is."""
    import numpy as np

    module = type(value).__module__.partition(".")[0]
    if module == "torch" and hasattr(value, "detach"):
        return value.detach().cpu().numpy()
    if module in ("tensorflow", "jax", "jaxlib") and hasattr(value, "dtype"):
        return np.asarray(value)
    if module == "pandas" and hasattr(value, "to_numpy") and not hasattr(value, "columns"):
        return value.to_numpy()
    return list(value) if isinstance(value, tuple | range | set | frozenset) else value
