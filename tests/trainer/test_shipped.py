"""What is shipped arrives equal, in its kind and type, and nothing is pickled."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.trainer import shipped

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")


def there_and_back(value: Any, tmp_path: Path) -> Any:
    content, suffix = shipped.save(value)
    assert shipped.save(value)[0] == content
    (tmp_path / f"value{suffix}").write_bytes(content)
    return shipped.load(str(tmp_path / f"value{suffix}"))


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6, dtype="int16").reshape(2, 3).T,
        np.array(["a", "é🎉"]),
        np.zeros((0, 3), "float16"),
        np.array([1 + 2j]),
        np.array(["2026-01-01"], "datetime64[D]"),
        np.array(3.5),
        np.float32(2.5),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    ],
    ids=str,
)
def test_arrays(tmp_path: Path, value: Any) -> None:
    """Of every plain dtype and shape."""
    found = there_and_back(value, tmp_path)
    assert found.dtype == value.dtype and found.shape == value.shape
    assert np.array_equal(found, value)


def test_frames(tmp_path: Path) -> None:
    """Column types, categories, missing values, index and names."""
    frame = pd.DataFrame(
        {
            "int": np.array([1, 2, 3], "int8"),
            "float": [1.5, None, float("inf")],
            "text": ["a", None, "é🎉"],
            "category": pd.Categorical(["x", "y", "x"], ["y", "x"], ordered=True),
            "time": pd.to_datetime(["2026-01-01", None, "2026-01-03"]),
            "zone": pd.to_datetime(["2026-01-01"] * 3).tz_localize("Europe/Berlin"),
            "nullable": pd.array([1, None, 3], "Int64"),
            "flag": [True, False, True],
            7: [0.1, 0.2, 0.3],
        },
        index=pd.Index([10, 20, 30], name="key"),
    )
    pd.testing.assert_frame_equal(there_and_back(frame, tmp_path), frame)
    pd.testing.assert_series_equal(there_and_back(frame["text"], tmp_path), frame["text"])
    wide = frame[["int", "text"]].set_index("text", append=True)
    pd.testing.assert_frame_equal(there_and_back(wide, tmp_path), wide)


@pytest.mark.parametrize(
    "value", [object(), "text", [1], np.array([object()]), np.float64, pd.DataFrame({"a": [object()]})]
)
def test_what_cannot_be_shipped_is_refused(value: Any) -> None:
    """No pickle hides in a file."""
    with pytest.raises(TypeError, match="cannot be shipped"):
        shipped.save(value)


def test_a_pickle_is_not_loaded(tmp_path: Path) -> None:
    """A file of somebody else's making runs nothing."""
    file = io.BytesIO()
    np.savez(file, meta=np.array([object()]))
    (tmp_path / "x.npz").write_bytes(file.getvalue())
    with pytest.raises(ValueError, match="allow_pickle"):
        shipped.load(str(tmp_path / "x.npz"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tensorflow", "jax", "torch"])
def test_tensors(tmp_path: Path, kind: str) -> None:
    """Of every framework, also in types that NumPy does not know."""
    if not importlib.util.find_spec(kind):
        pytest.skip(f"no {kind} here")
    if kind == "tensorflow":
        import tensorflow as tf

        values = [tf.constant([[1, 2]]), tf.constant([1.5], tf.bfloat16)]
    elif kind == "jax":
        import jax.numpy as jnp

        values = [jnp.arange(3), jnp.ones(2, jnp.bfloat16)]
    else:
        import torch

        values = [torch.arange(3), torch.ones(2, dtype=torch.float16)]
    for value in values:
        found = there_and_back(value, tmp_path)
        assert type(found).__module__.partition(".")[0] == type(value).__module__.partition(".")[0]
        assert found.dtype == value.dtype and found.shape == value.shape
        assert (
            [float(item) for item in found.flatten()] == [float(item) for item in value.flatten()]
            if kind != ("tensorflow")
            else bool(tf.reduce_all(found == value))
        )
