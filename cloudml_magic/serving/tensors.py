"""One input: from nested lists or an array to the array that the model takes, strictly."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import TensorSpec
from cloudml_magic.serving.nested_lists import flattened, kind_word, place_of, ragged
from cloudml_magic.serving.shapes import check_shape, shape_text

_NUMBERS = {int, float}
_FLAGS = {bool, np.bool_}
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
    shape, leaves, kinds = flattened(spec, values)
    if kinds <= _NUMBERS or not any(hasattr(kind, "__array__") and not issubclass(kind, np.generic) for kind in kinds):
        return _of_leaves(spec, leaves, kinds, shape, finite)
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.empty(0, object)
    if array.dtype.kind == "O":
        raise ragged(spec, "its parts have different shapes")
    return _converted(spec, array, finite)


def _of_leaves(spec: TensorSpec, leaves: list[Any], kinds: set[type], shape: Sequence[int], finite: bool) -> Any:
    """All numbers, or all true or false; what is neither is named with its place."""
    if kinds <= _NUMBERS or all(map(_is_number, kinds)):
        array = _numbers(spec, leaves, kinds, shape)
    elif kinds <= _FLAGS:
        array = np.array(leaves, bool)
    else:
        is_good = _FLAGS.__contains__ if spec.dtype == "bool" else _is_number
        index = next(index for index, leaf in enumerate(leaves) if not is_good(type(leaf)))
        if _is_missing(leaves[index]):
            raise _missing(spec, index, shape)
        raise _not_a(spec, f"{kind_word(leaves[index])} at {place_of(index, shape)}")
    return _converted(spec, array.reshape(shape), finite)


def _is_number(kind: type) -> bool:
    """Also NumPy's scalars, fractions and decimals; true and false are no numbers."""
    return issubclass(kind, Real | Decimal) and not issubclass(kind, bool)


def _numbers(spec: TensorSpec, leaves: list[Any], kinds: set[type], shape: Sequence[int]) -> Any:
    are_whole = bool(leaves) and all(issubclass(kind, Integral) for kind in kinds)
    # Whole numbers of more than 64 bits fit into floats only.
    wide = [np.float64] if not are_whole or spec.dtype.startswith(("float", "bfloat")) else []
    for wanted in [*([np.int64, np.uint64] if are_whole else []), *wide]:
        try:
            return np.array(leaves, wanted)
        except OverflowError:
            continue
    whole = (index for index, leaf in enumerate(leaves) if isinstance(leaf, Integral))
    index = max(whole, key=lambda index: abs(int(leaves[index])))
    raise CloudMLError(
        "number-out-of-range",
        f"`{spec.name}` has a whole number of {int(leaves[index]).bit_length()} bits at {place_of(index, shape)}.",
        why=f"The model takes {spec.dtype}.",
        next="Send a number within its range.",
    )


def _converted(spec: TensorSpec, array: Any, finite: bool) -> Any:
    kind = array.dtype.kind
    wanted = _numpy_dtype(spec)
    if kind in "OUS":
        return _of_values(spec, array.tolist(), finite)
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
            f"`{spec.name}` has {value} at {place_of(index, array.shape)}, which is no finite {spec.dtype}.",
            next="Replace it by a number within range.",
        )
    return result


def _whole(spec: TensorSpec, array: Any, wanted: Any) -> Any:
    limits = np.iinfo(wanted)
    if array.dtype.kind == "f":
        good = np.isfinite(array) & (array == np.floor(array))
        if not good.all():
            index = int(np.flatnonzero(~good)[0])
            raise _not_a(spec, f"{array.reshape(-1)[index]} at {place_of(index, array.shape)}")
    # Python's own comparison is exact between floats and whole numbers.
    if array.size and not (limits.min <= array.min().item() and array.max().item() <= limits.max):
        low = array.min().item() < limits.min
        index = int(array.argmin() if low else array.argmax())
        raise CloudMLError(
            "number-out-of-range",
            f"`{spec.name}` has {array.reshape(-1)[index]} at {place_of(index, array.shape)}.",
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
    shape, leaves, _ = flattened(spec, values.tolist() if isinstance(values, np.ndarray) else values)
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
            array[index] = decoded(leaf["b64"], f"`{spec.name}` at {place_of(index, shape)}")
        elif _is_missing(leaf):
            raise _missing(spec, index, shape)
        else:
            raise _no_text(spec, kind_word(leaf), index, shape)
    return array.reshape(shape)


def _no_text(spec: TensorSpec, what: str, index: int, shape: Sequence[int]) -> CloudMLError:
    return CloudMLError(
        "wrong-dtype",
        f"`{spec.name}` was given {what} at {place_of(index, shape)}.",
        why="The model takes text or bytes there.",
        next='Send text in quotes, or bytes as {"b64": "…"}.',
    )


# --- missing values ---


def _is_missing(leaf: Any) -> bool:
    """None, NaN, and what pandas has in their place (told without importing it)."""
    return leaf is None or type(leaf).__name__ in ("NAType", "NaTType") or (isinstance(leaf, float) and leaf != leaf)


def _missing(spec: TensorSpec, index: int, shape: Sequence[int]) -> CloudMLError:
    return CloudMLError(
        "missing-value",
        f"`{spec.name}` has no value at {place_of(index, shape)}.",
        why=f"The model takes {spec.dtype} {shape_text(spec.shape)}, without gaps.",
        next="Fill it in, or leave the instance out.",
    )
