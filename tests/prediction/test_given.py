"""Whatever a user has becomes what the model takes, or one sentence says what to change."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cloudml_magic.records import ModelInterface
from tests.prediction.asking import ask, refusal
from tests.prediction.interfaces import PICTURES, TABLE, TEXT, TWO, VECTOR

ROW = [5.1, 3.5, 1.4, 0.2]


@pytest.mark.parametrize(
    "value",
    [
        [ROW],
        ROW,
        (ROW,),
        np.array([ROW]),
        np.array(ROW),
        np.array([ROW], np.float32),
        pd.DataFrame([ROW], columns=list("abcd")),
        pd.Series(ROW),
        {"x": [ROW]},
        {"x": ROW},
        [{"x": ROW}],
    ],
    ids=[
        "rows",
        "one row",
        "tuple",
        "array",
        "one-dimensional array",
        "float32",
        "frame",
        "series",
        "column",
        "named",
        "named rows",
    ],
)
def test_one_vector_in_every_form(value: Any) -> None:
    """The batch dimension is added where it is missing; the dtype is the model's."""
    tensors = ask(value, VECTOR).tensors
    assert tensors["x"].dtype == np.float32
    np.testing.assert_array_equal(tensors["x"], np.array([ROW], np.float32))


def test_tensors_of_every_framework_are_arrays() -> None:
    """PyTorch's and JAX's too."""
    import jax.numpy as jnp

    torch = pytest.importorskip("torch")
    for value in (jnp.array([ROW]), torch.tensor([ROW], requires_grad=True)):
        assert ask(value, VECTOR).tensors["x"].shape == (1, 4)


@pytest.mark.parametrize(
    "value",
    [
        {"a": [[1, 2], [3, 4]], "b": [[1, 2, 3], [4, 5, 6]]},
        [{"a": [1, 2], "b": [1, 2, 3]}, {"a": [3, 4], "b": [4, 5, 6]}],
        [np.array([[1, 2], [3, 4]]), np.array([[1, 2, 3], [4, 5, 6]])],
        {"a": np.array([[1, 2], [3, 4]]), "b": np.array([[1.0, 2, 3], [4, 5, 6]])},
    ],
    ids=["columns", "rows", "as model.predict takes them", "arrays"],
)
def test_several_inputs_by_name(value: Any) -> None:
    """Columns, rows, or arrays in the order of the inputs."""
    tensors = ask(value, TWO).tensors
    assert tensors["a"].tolist() == [[1, 2], [3, 4]] and tensors["a"].dtype == np.float32
    assert tensors["b"].tolist() == [[1, 2, 3], [4, 5, 6]] and tensors["b"].dtype == np.int64


@pytest.mark.parametrize(
    "value",
    [
        {"age": 25, "work": "Private"},
        [{"age": 25, "work": "Private"}],
        [{"age": [25], "work": ["Private"]}],
        {"age": [25], "work": ["Private"]},
        {"age": np.array([25]), "work": np.array(["Private"])},
        pd.DataFrame({"age": [25], "work": ["Private"]}),
        pd.DataFrame({"work": pd.Series(["Private"], dtype="category"), "age": [25]}),
    ],
    ids=["one row", "rows", "rows of lists", "columns", "arrays", "frame", "categories"],
)
def test_a_row_of_a_table_in_every_form(value: Any) -> None:
    """Inputs of one value take bare values."""
    tensors = ask(value, TABLE).tensors
    assert tensors["age"].tolist() == [[25.0]]
    assert [
        [text.decode() if isinstance(text, bytes) else text for text in row] for row in tensors["work"].tolist()
    ] == [["Private"]]


@pytest.mark.parametrize(
    "value", ["good film", ["good film"], np.array(["good film"]), [["good film"]], {"text": "good film"}]
)
def test_texts_in_every_form(value: Any) -> None:
    """A bare text is one instance."""
    found = ask(value, TEXT).tensors["text"]
    assert found.shape == (1, 1)
    assert [text.decode() if isinstance(text, bytes) else text for text in found.ravel().tolist()] == ["good film"]


def test_one_dimension_too_many_is_told_with_the_smallest_change() -> None:
    """As the tutorial's reader met it, without an answer."""
    interface = ModelInterface(
        {"serving_default": PICTURES.signatures["tensors"].__class__(
            "serving_default",
            (TEXT.signatures["serving_default"].inputs[0].__class__("image", "float32", (None, 150, 150, 3)),),
            (),
        )}
    )  # fmt: skip
    assert refusal(np.zeros((1, 1, 1, 150, 150, 3)), interface) == (
        "`image` was given with shape [1, 1, 1, 150, 150, 3].\n"
        "  Why:  The model takes float32 [?, 150, 150, 3], the number of instances first.\n"
        "  Next: 2 dimensions too many: pass `x` instead of `[[x]]`.\n"
        "[wrong-shape]"
    )


def test_names_are_checked_before_anything_is_sent() -> None:
    """Unknown, missing and misspelt ones."""
    assert "lacks `b`" in refusal({"a": [[1, 2]]}, TWO)
    assert "Rename `c` to `b`." in refusal([{"a": [1, 2], "c": [1, 2, 3]}], TWO)
    assert "`extra`" in refusal(pd.DataFrame({"age": [1], "work": ["x"], "extra": [1]}), TABLE)


def test_a_text_where_a_number_belongs() -> None:
    """Named with its place."""
    assert "[" in refusal([[5.1, "a", 1.4, 0.2]], VECTOR) and "text" in refusal([[5.1, "a", 1.4, 0.2]], VECTOR)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ([[5.1, 3.5, 1.4, "0.2"]], "instance 0, [3]"),
        (np.array([[5.1, 3.5, 1.4, "0.2"]], object), "instance 0, [3]"),
        (np.array([["0.2", "0.2", "0.2", "0.2"]]), "instance 0, [0]"),
        (pd.DataFrame({"a": [1.0], "b": [1.0], "c": [1.0], "d": ["0.2"]}), "instance 0, [3]"),
    ],
)
def test_a_text_is_no_number_whatever_holds_it(value: Any, place: str) -> None:
    """A list, an array of objects or of texts, a frame: nothing is converted behind one's back."""
    assert refusal(value, VECTOR) == (
        f"`x` was given the text '0.2' at {place}.\n"
        "  Why:  The model takes numbers there: float32 [?, 4].\n"
        "  Next: Send numbers.\n"
        "[wrong-dtype]"
    )


@pytest.mark.parametrize(
    "value",
    [
        pd.DataFrame({"age": ["25"], "work": ["Private"]}),
        {"age": ["25"], "work": ["Private"]},
        {"age": "25", "work": "Private"},
        [{"age": "25", "work": "Private"}],
    ],
)
def test_a_text_in_a_column_of_numbers_is_named(value: Any) -> None:
    """Not its shape is what is wrong."""
    assert refusal(value, TABLE).splitlines()[0] == "`age` was given the text '25' at instance 0, [0]."


def test_true_is_no_number() -> None:
    """In a list as in JSON."""
    assert refusal([[1, 2, 3, True]], VECTOR).splitlines()[0] == "`x` was given true or false at instance 0, [3]."


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT])
def test_what_is_missing_is_called_missing(missing: Any) -> None:
    """As frames have gaps, in columns of text and of numbers."""
    texts = pd.DataFrame({"age": [25, 30], "work": pd.Series(["Private", missing], dtype=object)})
    assert refusal(texts, TABLE) == (
        "`work` has no value at instance 1, [0].\n"
        "  Why:  The model takes string [?, 1], without gaps.\n"
        "  Next: Fill it in, or leave the instance out.\n"
        "[missing-value]"
    )
    numbers = pd.DataFrame({"age": pd.Series([25, missing], dtype=object), "work": ["Private", "Private"]})
    what = "has nan" if isinstance(missing, float) else "has no value"
    assert refusal(numbers, TABLE).startswith(f"`age` {what} at instance 1, [0]")


@pytest.mark.parametrize(
    "value", [[], (), np.zeros((0, 4)), pd.DataFrame({"age": []}), pd.Series([], dtype=float), iter([])]
)
def test_nothing_is_no_instance(value: Any) -> None:
    """Said as it is, without shapes."""
    for interface in (VECTOR, TABLE, PICTURES):
        assert refusal(value, interface).startswith("There are no instances.\n") or isinstance(value, type(iter([])))


def test_indicator_columns_of_a_frame_are_numbers() -> None:
    """What `pandas.get_dummies` makes beside numbers; a bare true in a list is still none."""
    frame = pd.DataFrame({"a": [1.5], "b": [True], "c": [False], "d": [2]})
    np.testing.assert_array_equal(ask(frame, VECTOR).tensors["x"], [[1.5, 1, 0, 2]])
    assert ask(frame, VECTOR).tensors["x"].dtype == np.float32


def test_a_row_of_a_frame_is_read_by_name() -> None:
    """`frame.iloc[0]`; where its names are none of the inputs, it is a vector."""
    assert ask(pd.DataFrame({"work": ["Private"], "age": [25]}).iloc[0], TABLE).tensors["age"].tolist() == [[25]]
    assert ask(pd.DataFrame([ROW], columns=list("abcd")).iloc[0], VECTOR).tensors["x"].shape == (1, 4)


def test_what_has_no_order_or_no_number_is_refused() -> None:
    """A set would be sent in any order, a masked value as what lies under the mask."""
    assert refusal({1.0, 2.0, 3.0, 4.0}, VECTOR) == (
        "What is asked cannot be sent.\n"
        "  Why:  A set has no order.\n"
        "  Next: Give a list in its place.\n"
        "[unclear-instances]"
    )
    masked = np.ma.masked_array([ROW], mask=[[0, 0, 1, 0]])
    for value in (masked, {"x": masked}, [masked[0]]):
        assert refusal(value, VECTOR).splitlines()[1] == "  Why:  An array with masked values has no number there."
    assert "A set has no order." in refusal({"x": {1, 2, 3, 4}}, VECTOR)
    assert ask(np.ma.masked_array([ROW]), VECTOR).count == 1


def test_an_iterator_is_run_through() -> None:
    """As a list of what it gives."""
    assert ask((row for row in [ROW, ROW]), VECTOR).count == 2
    assert ask(map(list, [ROW]), VECTOR).count == 1
    assert "  Why:  The iterator gives more than 1,000,000 instances.\n" in refusal(itertools.count(), VECTOR)
