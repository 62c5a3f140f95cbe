"""What TensorFlow itself would make of the same numbers is what the model gets."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from hypothesis.extra import numpy as some_numpy

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import ModelInterface, Signature, TensorSpec
from cloudml_magic.serving import json_bodies, requests
from cloudml_magic.serving.refusals import RefusedError

pytestmark = pytest.mark.slow

DTYPES = ("float16", "float32", "float64", "int8", "uint8", "int32", "int64", "bool", "string")
NUMBERS = some.one_of(
    some.integers(-(2**70), 2**70),
    some.integers(-300, 300),
    some.floats(allow_nan=False),
    some.booleans(),
    some.text(max_size=3),
)


def read(dtype: str, shape: tuple[int | None, ...], body: dict[str, Any]) -> Any:
    signature = Signature("serving_default", (TensorSpec("x", dtype, shape),), ())
    request = requests.read_request(
        ModelInterface({"serving_default": signature}), "application/json", "", json.dumps(body).encode()
    )
    return request.tensors["x"]


def both_formats(values: Any) -> tuple[dict[str, Any], ...]:
    return (
        {"instances": values},
        {"inputs": values},
        {"inputs": {"x": values}},
        {"instances": [{"x": value} for value in values]},
    )


@settings(deadline=None)
@given(some.data())
def test_arrays_of_every_dtype_become_what_tensorflow_makes_of_their_lists(data: some.DataObject) -> None:
    import tensorflow as tf

    dtype = data.draw(some.sampled_from([name for name in DTYPES if name != "string"]))
    elements = {"allow_nan": False, "allow_infinity": False} if dtype.startswith("float") else {}
    array = data.draw(some_numpy.arrays(dtype, some_numpy.array_shapes(max_dims=4, max_side=4), elements=elements))
    values = array.tolist()
    expected = tf.constant(values, dtype).numpy()
    shape = (None, *array.shape[1:])
    for body in both_formats(values):
        found = read(dtype, shape, body)
        assert found.dtype == expected.dtype and np.array_equal(found, expected)


@settings(deadline=None, max_examples=300)
@given(some.lists(NUMBERS, min_size=1, max_size=3), some.sampled_from(DTYPES))
def test_a_list_is_refused_or_becomes_what_tensorflow_makes_of_it(values: list[Any], dtype: str) -> None:
    import tensorflow as tf

    try:
        found = read(dtype, (None,), {"instances": values})
    except (RefusedError, CloudMLError):
        return
    expected: Any
    if dtype == "string":
        expected = np.array([value.encode() for value in values], object)
    elif dtype.startswith("float"):
        expected = tf.constant([float(value) for value in values], dtype).numpy()
    else:
        # Floats are taken for whole numbers where they are whole; TensorFlow asks for whole ones.
        expected = tf.constant([value if isinstance(value, bool) else int(value) for value in values], dtype).numpy()
    assert found.tolist() == expected.tolist()


def test_long_bodies_become_what_tensorflow_makes_of_them() -> None:
    import tensorflow as tf

    random = np.random.default_rng(5)
    for scale in (1e-30, 1.0, 255.0, 1e30):
        array = (random.normal(0, scale, (2, 60, 60, 3))).astype(np.float32)
        text = json.dumps({"instances": array.tolist()}).encode()
        assert len(text) > json_bodies._LARGE
        found = read("float32", (None, 60, 60, 3), {"instances": array.tolist()})
        assert np.array_equal(found, tf.constant(array.tolist(), "float32").numpy())
        assert np.array_equal(found, array)
