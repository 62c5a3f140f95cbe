"""One input: from nested lists or an array to the array that the model takes, strictly."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import TensorSpec
from cloudml_magic.serving.shapes import check_shape, shape_text

DEEPEST = 64
_NUMBERS = {int, float}
_LISTS = {list, tuple}
_TO_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")


def tensor(spec: TensorSpec, values: Any, *, finite: bool = True) -> Any:
    """The values as the input's dtype, the batch first; raises CloudMLError where they do not fit."""
    if spec.dtype == "string":
        array = _strings(spec, values)
    elif isinstance(values, np.ndarray | np.generic):
        array = _converted(spec, np.asarray(values), finite)
    else:
        array = _of_values(spec, values, finite)
    check_shape(spec, array.shape)
    return array


def quoted_names(names: Sequence[str]) -> str:
    """`a`, `b` and `c`."""
    quoted = [f"`{name}`" for name in names[:8]]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " and " + quoted[-1]


def decoded(text: str | bytes, where: str) -> bytes:
    """Bytes from base64 in either alphabet, padded or not."""
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
        raw = raw.translate(_TO_STANDARD_ALPHABET).rstrip(b"=")
        return base64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
    except (binascii.Error, ValueError, AttributeError, TypeError):
        raise CloudMLError(
            "bad-base64",
            f"`b64` of {where} is no base64 text.",
            next="Encode the bytes with base64, in the standard or the URL-safe alphabet.",
        ) from None


# --- numbers ---


def _of_values(spec: TensorSpec, values: Any, finite: bool) -> Any:
    shape, leaves, kinds = _flattened(spec, values)
    if kinds <= _NUMBERS and spec.dtype != "bool":
        return _converted(spec, _numbers(leaves, kinds).reshape(shape), finite)
    if kinds == {bool}:
        return _converted(spec, np.array(leaves, bool).reshape(shape), finite)
    odd = next((index for index, leaf in enumerate(leaves) if not _is_number(leaf)), None)
    if (
        odd is not None
        and not isinstance(leaves[odd], np.ndarray | np.generic)
        and not hasattr(leaves[odd], "__array__")
    ):
        place = _place(odd, shape)
        raise _not_a(spec, f"{_kind_word(leaves[odd])} at {place}")
    try:
        return _converted(spec, np.asarray(values), finite)
    except ValueError:
        raise _ragged(spec, "its parts have different shapes") from None


def _numbers(leaves: list[Any], kinds: set[type]) -> Any:
    try:
        return np.array(leaves, np.int64) if kinds == {int} else np.array(leaves, np.float64)
    except OverflowError:
        return np.array(leaves, object)


def _is_number(leaf: Any) -> bool:
    return type(leaf) in _NUMBERS


def _converted(spec: TensorSpec, array: Any, finite: bool) -> Any:
    kind = array.dtype.kind
    wanted = _numpy_dtype(spec)
    if kind == "O":
        return _of_objects(spec, array, wanted)
    if kind not in "fiub":
        raise _not_a(spec, f"an array of {array.dtype.name}")
    if (kind == "b") != (wanted.kind == "b"):
        raise _not_a(spec, "true or false" if kind == "b" else "numbers")
    if wanted.kind in "iu":
        return _whole(spec, array, wanted)
    with np.errstate(over="ignore"):
        result = array.astype(wanted, copy=False)
    if finite and wanted.kind not in "b" and not np.isfinite(result).all():
        index = int(np.flatnonzero(~np.isfinite(result))[0])
        value = array.reshape(-1)[index]
        raise CloudMLError(
            "number-not-finite",
            f"`{spec.name}` has {value} at {_place(index, array.shape)}, which is no finite {spec.dtype}.",
            next="Replace it by a number within range.",
        )
    return result


def _of_objects(spec: TensorSpec, array: Any, wanted: Any) -> Any:
    """Whole numbers beyond 64 bits become floats, or fit nothing."""
    if wanted.kind == "f":
        try:
            return _converted(spec, array.astype(np.float64), True)
        except (OverflowError, TypeError, ValueError):
            pass
    raise _not_a(spec, "a number that is too large, or something that is none,")


def _whole(spec: TensorSpec, array: Any, wanted: Any) -> Any:
    limits = np.iinfo(wanted)
    if array.dtype.kind == "f":
        good = np.isfinite(array) & (array == np.floor(array))
        if not good.all():
            index = int(np.flatnonzero(~good)[0])
            raise _not_a(spec, f"{array.reshape(-1)[index]} at {_place(index, array.shape)}")
    # Python's own comparison is exact between floats and whole numbers.
    if array.size and not (limits.min <= array.min().item() and array.max().item() <= limits.max):
        low = array.min().item() < limits.min
        index = int(array.argmin() if low else array.argmax())
        raise CloudMLError(
            "number-out-of-range",
            f"`{spec.name}` has {array.reshape(-1)[index]} at {_place(index, array.shape)}.",
            why=f"The model takes {spec.dtype}: from {limits.min} to {limits.max}.",
            next="Send a number within that range.",
        )
    return array.astype(wanted, copy=False)


def _numpy_dtype(spec: TensorSpec) -> Any:
    if spec.dtype == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    try:
        wanted = np.dtype(spec.dtype)
    except TypeError:
        wanted = np.dtype(object)
    if wanted.kind not in "fiub":
        raise CloudMLError(
            "dtype-unservable",
            f"`{spec.name}` is of dtype {spec.dtype}, which cannot be sent.",
            next="Export the model with an input of numbers, text or bytes.",
        )
    return wanted


def _not_a(spec: TensorSpec, what: str) -> CloudMLError:
    if spec.dtype == "bool":
        wanted = "true or false"
    else:
        wanted = "numbers" if spec.dtype.startswith(("float", "bfloat")) else "whole numbers"
    return CloudMLError(
        "wrong-dtype",
        f"`{spec.name}` was given {what}.",
        why=f"The model takes {wanted} there: {spec.dtype} {shape_text(spec.shape)}.",
        next=f"Send {wanted}.",
    )


# --- text and bytes ---


def _strings(spec: TensorSpec, values: Any) -> Any:
    shape, leaves, _ = _flattened(spec, values.tolist() if isinstance(values, np.ndarray) else values)
    array: Any = np.empty(len(leaves), object)
    for index, leaf in enumerate(leaves):
        if isinstance(leaf, str):
            try:
                array[index] = leaf.encode("utf-8")
            except UnicodeEncodeError:
                raise _no_text(spec, "text that is no Unicode", index, shape) from None
        elif isinstance(leaf, bytes):
            array[index] = leaf
        elif isinstance(leaf, Mapping) and tuple(leaf) == ("b64",):
            array[index] = decoded(leaf["b64"], f"`{spec.name}` at {_place(index, shape)}")
        else:
            raise _no_text(spec, _kind_word(leaf), index, shape)
    return array.reshape(shape)


def _no_text(spec: TensorSpec, what: str, index: int, shape: Sequence[int]) -> CloudMLError:
    return CloudMLError(
        "wrong-dtype",
        f"`{spec.name}` was given {what} at {_place(index, shape)}.",
        why="The model takes text or bytes there.",
        next='Send text in quotes, or bytes as {"b64": "…"}.',
    )


# --- nested lists ---


def _flattened(spec: TensorSpec, values: Any) -> tuple[tuple[int, ...], list[Any], set[type]]:
    """The shape of nested lists, their leaves in order, and the types of these."""
    if not isinstance(values, list | tuple):
        return (), [values], {type(values)}
    shape = [len(values)]
    level: Sequence[Any] = values
    while True:
        kinds = set(map(type, level))
        if not kinds & _LISTS:
            return tuple(shape), list(level), kinds
        if kinds - _LISTS:
            index = next(index for index, item in enumerate(level) if not isinstance(item, list | tuple))
            raise _ragged(spec, f"{_kind_word(level[index])} lies beside lists at {_place(index, shape)}")
        lengths = set(map(len, level))
        if len(lengths) > 1:
            first = len(level[0])
            index = next(index for index, item in enumerate(level) if len(item) != first)
            raise _ragged(
                spec,
                f"the list at {_place(index, shape)} has {len(level[index])} values, and the first one has {first}",
            )
        shape.append(len(level[0]))
        if len(shape) > DEEPEST:
            raise CloudMLError("too-deep", f"`{spec.name}` has more than {DEEPEST} dimensions.", next="Send fewer.")
        level = list(chain.from_iterable(level))


def _ragged(spec: TensorSpec, how: str) -> CloudMLError:
    return CloudMLError(
        "ragged",
        f"`{spec.name}` is no regular array: {how}.",
        why=f"The model takes {spec.dtype} {shape_text(spec.shape)}.",
        next="Make all parts equally long.",
    )


def _place(index: int, shape: Sequence[int]) -> str:
    """`instance 2, [0, 5]`: where a flat index lies."""
    if not shape:
        return "its only place"
    first, *rest = (int(number) for number in np.unravel_index(index, tuple(shape)))
    return f"instance {first}" + (f", {rest}" if rest else "")


def _kind_word(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if isinstance(value, bytes):
        return "bytes"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, Mapping):
        return "an object"
    return f"a {type(value).__name__}"
