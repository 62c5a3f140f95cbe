"""Instances are checked against the interface alone, and what is wrong with them is said with the smallest change."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Signature, TensorSpec
from cloudml_magic.serving.instances import check, tensors_of_columns, tensors_of_rows
from cloudml_magic.serving.shapes import with_batch

OUTPUT = (TensorSpec("output_0", "float32", (None, 3)),)
TABLE = Signature("serving_default", (TensorSpec("x", "float32", (None, 4)),), OUTPUT)
PICTURES = Signature("tensors", (TensorSpec("image", "float32", (None, 150, 150, 3)),), OUTPUT)
GREY = Signature("tensors", (TensorSpec("image", "float32", (None, 28, 28)),), OUTPUT)
TWO = Signature(
    "serving_default", (TensorSpec("age", "int32", (None, 1)), TensorSpec("job", "string", (None, 1))), OUTPUT
)
COUNTS = Signature("serving_default", (TensorSpec("n", "int8", (None,)),), OUTPUT)
WIDE = Signature("serving_default", (TensorSpec("n", "uint64", (None,)),), OUTPUT)
FLAGS = Signature("serving_default", (TensorSpec("flag", "bool", (None,)),), OUTPUT)


def refusal(call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(CloudMLError) as caught:
        call(*arguments, **named)
    return caught.value.rendered()


def test_bare_values_and_objects_give_the_same_tensors() -> None:
    bare = tensors_of_rows(TABLE, [[1, 2, 3, 4], [5.5, 6, 7, 8]])
    named = tensors_of_rows(TABLE, [{"x": [1, 2, 3, 4]}, {"x": [5.5, 6, 7, 8]}])
    columns = tensors_of_columns(TABLE, {"x": [[1, 2, 3, 4], [5.5, 6, 7, 8]]})
    for tensors in (bare, named, columns, tensors_of_columns(TABLE, [[1, 2, 3, 4], [5.5, 6, 7, 8]])):
        assert tensors["x"].dtype == np.float32
        assert tensors["x"].tolist() == [[1, 2, 3, 4], [5.5, 6, 7, 8]]


def test_several_inputs_come_by_name_and_keep_the_order_of_the_signature() -> None:
    tensors = tensors_of_rows(TWO, [{"job": ["ash"], "age": [25]}, {"job": [{"b64": "_-8"}], "age": [26.0]}])
    assert list(tensors) == ["age", "job"]
    assert tensors["age"].tolist() == [[25], [26]] and tensors["age"].dtype == np.int32
    assert tensors["job"].tolist() == [[b"ash"], [b"\xff\xef"]]


@pytest.mark.parametrize("text", ["+/8=", "-_8=", "-_8", "+/8"])
def test_base64_comes_in_either_alphabet_padded_or_not(text: str) -> None:
    tensors = tensors_of_columns(TWO, {"age": [[1]], "job": [[{"b64": text}]]})
    assert tensors["job"].tolist() == [[b"\xfb\xff"]]


def test_one_instance_gets_its_batch_dimension() -> None:
    spec = TABLE.inputs[0]
    assert with_batch(spec, np.zeros(4)).shape == (1, 4)
    assert with_batch(spec, np.zeros((2, 4))).shape == (2, 4)


@pytest.mark.parametrize(
    ("signature", "values", "text"),
    [
        (
            PICTURES,
            {"image": np.zeros((1, 1, 1, 150, 150, 3))},
            "`image` was given with shape [1, 1, 1, 150, 150, 3].\n"
            "  Why:  The model takes float32 [?, 150, 150, 3], the number of instances first.\n"
            "  Next: 2 dimensions too many: pass `x` instead of `[[x]]`.\n"
            "[wrong-shape]",
        ),
        (
            TABLE,
            {"x": [1, 2, 3, 4]},
            "`x` was given with shape [4].\n"
            "  Why:  The model takes float32 [?, 4], the number of instances first.\n"
            "  Next: One dimension too few: pass `[x]` instead of `x`.\n"
            "[wrong-shape]",
        ),
        (
            GREY,
            {"image": np.zeros((5, 784))},
            "`image` was given with shape [5, 784].\n"
            "  Why:  The model takes float32 [?, 28, 28], the number of instances first.\n"
            "  Next: It has the right number of values: pass `x.reshape((-1, 28, 28))` instead of `x`.\n"
            "[wrong-shape]",
        ),
        (
            GREY,
            {"image": np.zeros((5, 28, 28, 1))},
            "`image` was given with shape [5, 28, 28, 1].\n"
            "  Why:  The model takes float32 [?, 28, 28], the number of instances first.\n"
            "  Next: One dimension too many at the end: pass `x[..., 0]` instead of `x`.\n"
            "[wrong-shape]",
        ),
        (
            TABLE,
            {"x": [[1, 2, 3]]},
            "`x` was given with shape [1, 3].\n"
            "  Why:  The model takes float32 [?, 4], the number of instances first.\n"
            "  Next: Dimension 1 is 3 and must be 4.\n"
            "[wrong-shape]",
        ),
        (
            TABLE,
            {"x": [[1, 2, 3, 4], [1, 2]]},
            "`x` is no regular array: the list at instance 1 has 2 values, and the first one has 4.\n"
            "  Why:  The model takes float32 [?, 4].\n"
            "  Next: Make all parts equally long.\n"
            "[ragged]",
        ),
        (
            TABLE,
            {"x": [[1, 2, 3, 4], [1, 2, "Private", 4]]},
            "`x` was given the text 'Private' at instance 1, [2].\n"
            "  Why:  The model takes numbers there: float32 [?, 4].\n"
            "  Next: Send numbers.\n"
            "[wrong-dtype]",
        ),
        (
            TABLE,
            {"x": [[1, 2, True, 4]]},
            "`x` was given true or false at instance 0, [2].\n"
            "  Why:  The model takes numbers there: float32 [?, 4].\n"
            "  Next: Send numbers.\n"
            "[wrong-dtype]",
        ),
        (
            TABLE,
            {"x": [[1, 2, 1e39, 4]]},
            "`x` has 1e+39 at instance 0, [2], which is no finite float32.\n"
            "  Next: Replace it by a number within range.\n"
            "[number-not-finite]",
        ),
        (
            COUNTS,
            {"n": [1, 300]},
            "`n` has 300 at instance 1.\n"
            "  Why:  The model takes int8: from -128 to 127.\n"
            "  Next: Send a number within that range.\n"
            "[number-out-of-range]",
        ),
        (
            COUNTS,
            {"n": [1.0, 2.5]},
            "`n` was given 2.5 at instance 1.\n"
            "  Why:  The model takes whole numbers there: int8 [?].\n"
            "  Next: Send whole numbers.\n"
            "[wrong-dtype]",
        ),
        (
            FLAGS,
            {"flag": [1, 0]},
            "`flag` was given numbers.\n"
            "  Why:  The model takes true or false there: bool [?].\n"
            "  Next: Send true or false.\n"
            "[wrong-dtype]",
        ),
        (
            FLAGS,
            {"flag": [True, "no"]},
            "`flag` was given the text 'no' at instance 1.\n"
            "  Why:  The model takes true or false there: bool [?].\n"
            "  Next: Send true or false.\n"
            "[wrong-dtype]",
        ),
        (
            TABLE,
            {"x": np.array([[1, 2, 3, "4"]], object)},
            "`x` was given the text '4' at instance 0, [3].\n"
            "  Why:  The model takes numbers there: float32 [?, 4].\n"
            "  Next: Send numbers.\n"
            "[wrong-dtype]",
        ),
        (
            TABLE,
            {"x": [[1, 2, None, 4]]},
            "`x` has no value at instance 0, [2].\n"
            "  Why:  The model takes float32 [?, 4], without gaps.\n"
            "  Next: Fill it in, or leave the instance out.\n"
            "[missing-value]",
        ),
        (
            TWO,
            {"age": [[1], [2]], "job": [["ash"], [float("nan")]]},
            "`job` has no value at instance 1, [0].\n"
            "  Why:  The model takes string [?, 1], without gaps.\n"
            "  Next: Fill it in, or leave the instance out.\n"
            "[missing-value]",
        ),
        (
            TABLE,
            {"x": [[1, 2, 10**400, 4]]},
            "`x` has a whole number of 1329 bits at instance 0, [2].\n"
            "  Why:  The model takes float32.\n"
            "  Next: Send a number within its range.\n"
            "[number-out-of-range]",
        ),
        (
            COUNTS,
            {"n": [2**63]},
            "`n` has 9223372036854775808 at instance 0.\n"
            "  Why:  The model takes int8: from -128 to 127.\n"
            "  Next: Send a number within that range.\n"
            "[number-out-of-range]",
        ),
        (
            COUNTS,
            {"n": [1, -(2**64)]},
            "`n` has a whole number of 65 bits at instance 1.\n"
            "  Why:  The model takes int8.\n"
            "  Next: Send a number within its range.\n"
            "[number-out-of-range]",
        ),
        (
            TWO,
            {"age": [[1]]},
            "The request lacks `job`.\n"
            "  Why:  The model takes age: int32 [?, 1], job: string [?, 1].\n"
            "  Next: Give each instance a value for every input.\n"
            "[missing-input]",
        ),
        (
            TWO,
            {"age": [[1]], "jobs": [["ash"]]},
            "The request has an input `jobs` that the model does not have, and lacks `job`.\n"
            "  Why:  The model takes age: int32 [?, 1], job: string [?, 1].\n"
            "  Next: Rename `jobs` to `job`.\n"
            "[unknown-input]",
        ),
        (
            TWO,
            {"age": [[1]], "job": [["ash"]], "wage": [[1]]},
            "The request has `wage`, which the model does not have.\n"
            "  Why:  The model takes age: int32 [?, 1], job: string [?, 1].\n"
            "  Next: Leave `wage` out.\n"
            "[unknown-input]",
        ),
        (
            TWO,
            {"age": [[1], [2]], "job": [["ash"]]},
            "The inputs have different numbers of instances: age 2, job 1.\n"
            "  Next: Send as many values for each input.\n"
            "[unequal-rows]",
        ),
        (
            TWO,
            {"age": [[1]], "job": [[7]]},
            "`job` was given a number at instance 0, [0].\n"
            "  Why:  The model takes text or bytes there.\n"
            '  Next: Send text in quotes, or bytes as {"b64": "…"}.\n'
            "[wrong-dtype]",
        ),
        (
            TWO,
            {"age": [[1]], "job": [[{"b64": "no base64!"}]]},
            "`b64` of `job` at instance 0, [0] is no base64 text.\n"
            "  Next: Encode the bytes with base64, in the standard or the URL-safe alphabet.\n"
            "[bad-base64]",
        ),
    ],
)
def test_what_is_wrong_is_said_with_the_smallest_change(signature: Signature, values: Any, text: str) -> None:
    assert refusal(check, signature, values) == text


def test_rows_are_all_named_or_all_bare() -> None:
    assert refusal(tensors_of_rows, TABLE, [{"x": [1, 2, 3, 4]}, [1, 2, 3, 4]]) == (
        "Some instances are objects, but instance 1 is a bare value.\n"
        '  Next: Send all of them alike: {"x": …}.\n'
        "[instances-mixed]"
    )
    assert refusal(tensors_of_rows, TWO, [[1], [2]]) == (
        "An instance names no inputs, but the model has 2.\n"
        "  Why:  The model takes age: int32 [?, 1], job: string [?, 1].\n"
        '  Next: Send each instance as an object: {"age": …, "job": …}.\n'
        "[inputs-not-named]"
    )
    assert refusal(tensors_of_rows, TABLE, {"x": 1}).splitlines()[0] == "`instances` is no list."
    assert refusal(tensors_of_rows, TABLE, []).splitlines()[0] == "There are no instances."


def test_nan_passes_only_where_it_can_be_carried() -> None:
    values = {"x": np.array([[1, 2, np.nan, 4]])}
    assert refusal(check, TABLE, values).startswith("`x` has nan at instance 0, [2], which is no finite float32.")
    assert np.isnan(check(TABLE, values, finite=False)["x"][0, 2])


def test_numbers_of_every_kind_are_numbers() -> None:
    """NumPy's scalars, fractions and decimals too, alone and in arrays of objects."""
    row = [np.int16(1), np.float32(2), Fraction(3), Decimal(4)]
    for values in ([row], np.array([row], object), [np.array([1, 2, 3, 4])]):
        assert check(TABLE, {"x": values})["x"].tolist() == [[1, 2, 3, 4]]
    assert check(WIDE, {"n": [2**64 - 1]})["n"].tolist() == [2**64 - 1]
