"""Saves and loads the values that a user ships by name: arrays, tensors and data frames, without pickle.

Each file is a NumPy archive whose member `meta` says in JSON what the value is. Equal values make equal bytes.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

SUFFIX = ".npz"
_TENSORS = {"tensorflow": "tensorflow", "torch": "torch", "jax": "jax", "jaxlib": "jax"}


def kind_of(value: object) -> str | None:
    """`numpy`, `tensorflow`, `torch`, `jax`, `frame`, `series`, or nothing if the value cannot be shipped."""
    module = type(value).__module__.partition(".")[0]
    name = type(value).__name__
    if module == "pandas":
        return {"DataFrame": "frame", "Series": "series"}.get(name)
    if module == "numpy" and hasattr(value, "dtype"):
        return None if getattr(value.dtype, "hasobject", True) else "numpy"
    if module in _TENSORS and hasattr(value, "dtype") and hasattr(value, "shape"):
        return _TENSORS[module]
    return None


def save(value: Any) -> tuple[bytes, str]:
    """The value's file and the ending of its name; TypeError if it is of no kind that can be shipped."""
    import numpy as np

    kind = kind_of(value)
    if kind is None:
        raise TypeError(f"A {type(value).__name__} cannot be shipped.")
    if kind in ("frame", "series"):
        members, meta = _pack_frame(value if kind == "frame" else value.to_frame())
        if kind == "series":
            meta["name"] = value.name
    else:
        array = value.detach().cpu().numpy() if kind == "torch" else np.asarray(value)
        members, meta = {"value": _raw(array)}, {"dtype": str(array.dtype)}
    content = json.dumps({"kind": kind, **meta}, sort_keys=True).encode("utf-8")
    file = io.BytesIO()
    archive: dict[str, Any] = {"meta": np.frombuffer(content, np.uint8), **members}
    np.savez(file, **archive)
    return file.getvalue(), SUFFIX


def load(path: str) -> Any:
    """Reads what `save` wrote."""
    import numpy as np

    with np.load(path, allow_pickle=False) as archive:
        meta = json.loads(archive["meta"].tobytes())
        members = {name: archive[name] for name in archive.files if name != "meta"}
    kind = meta["kind"]
    if kind == "frame":
        return _unpack_frame(members, meta)
    if kind == "series":
        return _unpack_frame(members, meta).iloc[:, 0].rename(meta["name"])
    return _tensor(kind, _cooked(members["value"], meta["dtype"]))


def _raw(array: np.ndarray) -> np.ndarray:
    """NumPy's own formats only: others (bfloat16, float8) go as their bytes."""
    import numpy as np

    if array.dtype.hasobject:
        raise TypeError("An array of Python objects cannot be shipped.")
    return (
        array.view(f"u{array.dtype.itemsize}")
        if array.dtype.kind == "V" and array.dtype.names is None
        else (np.asarray(array))
    )


def _cooked(array: np.ndarray, dtype: str) -> np.ndarray:
    if str(array.dtype) == dtype:
        return array
    import ml_dtypes

    return array.view(getattr(ml_dtypes, dtype))


def _tensor(kind: str, array: np.ndarray) -> Any:
    if kind == "tensorflow":
        import tensorflow as tf

        return tf.constant(array)
    if kind == "torch":
        import torch

        return torch.from_numpy(array)
    if kind == "jax":
        import jax.numpy as jnp

        return jnp.asarray(array)
    return array if array.ndim else array[()]


def _pack_frame(frame: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    members: dict[str, np.ndarray] = {}
    columns = [_pack_column(frame.iloc[:, i], f"c{i}", members) for i in range(frame.shape[1])]
    index = [
        _pack_column(frame.index.get_level_values(i).to_series(), f"i{i}", members) for i in range(frame.index.nlevels)
    ]
    names = {
        "columns": [_plain_name(name) for name in frame.columns.tolist()],
        "columns_dtype": str(frame.columns.dtype),
        "index": list(frame.index.names),
    }
    return members, {"columns": columns, "index": index, "names": names}


def _plain_name(name: Any) -> Any:
    if isinstance(name, (str, int, float, bool)) or name is None:
        return name
    raise TypeError(f"A column named {name!r} cannot be shipped; name it by a string.")


def _pack_column(column: Any, key: str, members: dict[str, np.ndarray]) -> dict[str, Any]:
    import numpy as np
    import pandas as pd

    dtype = str(column.dtype)
    if isinstance(column.dtype, pd.CategoricalDtype):
        members[key] = column.cat.codes.to_numpy()
        inner = _pack_column(pd.Series(column.cat.categories), key + "k", members)
        return {"dtype": "category", "ordered": bool(column.cat.ordered), "categories": inner}
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biufcmM":
        members[key] = column.to_numpy()
        return {"dtype": dtype}
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        members[key] = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
        return {"dtype": "utc", "zone": str(column.dt.tz)}
    items = [None if gone else item for item, gone in zip(column.tolist(), column.isna(), strict=True)]
    if not all(item is None or isinstance(item, (str, int, float, bool)) for item in items):
        raise TypeError(f"The column {column.name!r} holds objects that cannot be shipped.")
    members[key] = np.frombuffer(json.dumps(items).encode("utf-8"), np.uint8)
    return {"dtype": dtype, "json": True}


def _unpack_frame(members: dict[str, np.ndarray], meta: dict[str, Any]) -> Any:
    import pandas as pd

    columns = [_unpack_column(f"c{i}", described, members) for i, described in enumerate(meta["columns"])]
    levels = [_unpack_column(f"i{i}", described, members) for i, described in enumerate(meta["index"])]
    names = meta["names"]["index"]
    index = pd.MultiIndex.from_arrays(levels, names=names) if len(levels) > 1 else pd.Index(levels[0], name=names[0])
    frame = pd.DataFrame({i: pd.Series(column.array, index=index) for i, column in enumerate(columns)}, index=index)
    frame.columns = pd.Index(meta["names"]["columns"], dtype=meta["names"]["columns_dtype"])
    return frame


def _unpack_column(key: str, described: dict[str, Any], members: dict[str, np.ndarray]) -> Any:
    import pandas as pd

    dtype = described["dtype"]
    if dtype == "category":
        categories = pd.Index(_unpack_column(key + "k", described["categories"], members))
        return pd.Series(pd.Categorical.from_codes(members[key], categories, described["ordered"]))
    if dtype == "utc":
        return pd.Series(members[key]).dt.tz_localize("UTC").dt.tz_convert(described["zone"])
    if described.get("json"):
        return pd.Series(json.loads(members[key].tobytes()), dtype=dtype)
    return pd.Series(members[key])
