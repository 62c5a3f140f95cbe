"""From a model's outputs to the body of an answer."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import orjson

from cloudml_magic.serving.binary_bodies import NPY, NPZ
from cloudml_magic.serving.engines import Tensors
from cloudml_magic.serving.refusals import RefusedError

JSON = "application/json"
_BYTES_SUFFIX = "_bytes"


def answer(outputs: Tensors, accept: str, in_columns: bool, *, named: bool = False) -> tuple[bytes, str]:
    """The body and its content type; what the client accepts decides, JSON where it says nothing.

    With `named` each prediction is an object by output, also where there is only one.
    """
    if NPY in accept and len(outputs) == 1:
        stream = io.BytesIO()
        np.lib.format.write_array(stream, _plain(*outputs.values()), allow_pickle=False)
        return stream.getvalue(), NPY
    if NPZ in accept or NPY in accept:
        stream = io.BytesIO()
        np.savez(stream, allow_pickle=False, **{name: _plain(array) for name, array in outputs.items()})
        return stream.getvalue(), NPZ
    return orjson.dumps(_document(outputs, in_columns, named), option=orjson.OPT_SERIALIZE_NUMPY), JSON


def _document(outputs: Tensors, in_columns: bool, named: bool) -> dict[str, Any]:
    values = {name: plain_values(name, array) for name, array in outputs.items()}
    bare = next(iter(values.values())) if len(values) == 1 and not named else None
    if in_columns:
        return {"outputs": values if bare is None else bare}
    if bare is not None:
        return {"predictions": bare if np.ndim(bare) else [bare]}
    if len({len(column) if np.ndim(column) else -1 for column in values.values()} - {-1}) > 1:
        raise RefusedError(500, 'The outputs have different numbers of rows: ask in columns, with {"inputs": …}.')
    return {
        "predictions": [dict(zip(values, row, strict=True)) for row in zip(*map(_rows, values.values()), strict=True)]
    }


def _rows(column: Any) -> Any:
    if not np.ndim(column):
        return [column]
    return column.tolist() if isinstance(column, np.ndarray) and column.ndim == 1 else list(column)


def plain_values(name: str, array: Any) -> Any:
    """What orjson can write: an array of numbers, or lists of text or of `{"b64": …}`."""
    if array.dtype.kind in "OSU":
        return _text(array.tolist(), name.endswith(_BYTES_SUFFIX))
    if array.dtype.kind not in "fiub" or not array.dtype.isnative:
        # bfloat16 and its like
        array = array.astype(np.float32)
    return np.ascontiguousarray(array)


def _text(value: Any, is_bytes: bool) -> Any:
    if isinstance(value, list):
        return [_text(item, is_bytes) for item in value]
    raw = value if isinstance(value, bytes) else str(value).encode()
    return {"b64": base64.b64encode(raw).decode()} if is_bytes else raw.decode("utf-8", "replace")


def _plain(array: Any) -> Any:
    if array.dtype.kind == "O":
        raise RefusedError(400, "This output is text or bytes, which no .npy file holds. Accept application/json.")
    return array if array.dtype.kind in "fiub" else array.astype(np.float32)
