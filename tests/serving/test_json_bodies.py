"""JSON is read strictly, and arrays of numbers by a shorter way that says the same as the long one."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as some_numpy

from cloudml_magic.serving import json_bodies
from cloudml_magic.serving.json_bodies import read_json
from cloudml_magic.serving.refusals import RefusedError
from tests.long_counts import within

ARRAYS = some_numpy.arrays(
    some.sampled_from([np.float64, np.int64]),
    some_numpy.array_shapes(max_dims=4, max_side=5),
    elements={"allow_nan": False, "allow_infinity": False},
    fill=some.nothing(),
)


def short_way(body: bytes) -> Any:
    return json_bodies._of_numbers(body)


@given(ARRAYS, some.sampled_from([None, 1]), some.booleans(), some.booleans())
def test_the_short_way_reads_every_array_of_numbers(
    array: Any, indent: int | None, in_columns: bool, is_named: bool
) -> None:
    document = {"inputs" if in_columns else "instances": array.tolist()}
    if is_named:
        document["signature_name"] = "tensors"
    found = short_way(json.dumps(document, indent=indent).encode())
    assert found is not None
    assert found.values.shape == array.shape and found.values.dtype == array.dtype
    assert np.array_equal(found.values, array)
    assert (found.in_columns, found.signature_name) == (in_columns, "tensors" if is_named else None)


@given(some.text("[[[]]],,, 123.e-", max_size=14).map(lambda text: f"[{text}]"))
def test_the_short_way_reads_nothing_that_is_no_json(text: str) -> None:
    found = short_way(b'{"instances": ' + text.encode() + b"}")
    if found is not None:
        assert np.array_equal(found.values, np.array(json.loads(text)))


@pytest.mark.parametrize(
    "text", ["[[1, 2], 3[, 4]]", "[[1, 2]3, [4]]", "[[1, 2], [3]]", "[1 2]", "[1][2]", "[[1,2],,[3,4]]"]
)
def test_brackets_in_the_wrong_place_go_the_long_way(text: str) -> None:
    assert short_way(b'{"instances": ' + text.encode() + b"}") is None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"[1, 2]", 'The body is no object. Send {"instances": […]} or {"inputs": …}.'),
        (b"{}", 'Send either {"instances": […]}, a list with one entry each, or {"inputs": …}.'),
        (
            b'{"instances": [1], "inputs": [1]}',
            'Send either {"instances": […]}, a list with one entry each, or {"inputs": …}.',
        ),
        (
            b'{"instances": [1], "signature": "x"}',
            "The body has the key 'signature'. Known are instances, inputs, signature_name, parameters.",
        ),
        (b'{"instances": [1], "signature_name": 3}', "`signature_name` is no text."),
        (b'{"instances": [{"a": 1, "a": 2}]}', "The key 'a' comes twice in one object. Send each once."),
        (b'{"instances": [1], "instances": [2]}', "The key 'instances' comes twice in one object. Send each once."),
        (rb'{"instances": [{"a:": 1, "a\u003a": 2}]}', "The key 'a:' comes twice in one object. Send each once."),
    ],
)
def test_an_envelope_is_one_of_the_two_formats_and_says_each_key_once(body: bytes, text: str) -> None:
    with pytest.raises(RefusedError, match=f"^{re.escape(text)}$") as caught:
        read_json(body)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "1e999", "01", "+1", "0x1", "'a'", "[", "\x00", "\ud800"]
)
@pytest.mark.parametrize("padding", [0, json_bodies._LARGE])
def test_what_is_no_json_is_refused_whatever_its_length(value: str, padding: int) -> None:
    body = f'{{"instances": [[{value}{", 1" * padding}]]}}'.encode("utf-8", "surrogatepass")
    with pytest.raises(RefusedError, match=r"^The body is no JSON: ") as caught:
        read_json(body)
    assert caught.value.status == 400


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"instances":' + b"[" * 5_000_000, b'{"a":' * 100_000])
def test_brackets_without_end_are_refused_within_a_second(body: bytes) -> None:
    began = time.perf_counter()
    with pytest.raises(RefusedError, match=r"depth limit|unexpected"):
        read_json(body)
    assert time.perf_counter() - began < within(1)
