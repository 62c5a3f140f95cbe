"""Requests are as small as they can be and none is too large; answers are read as people read them."""

from __future__ import annotations

import io
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from PIL import Image

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.prediction.answers import instances_of
from cloudml_magic.pipeline.prediction.given import Given, given
from cloudml_magic.pipeline.prediction.requests import (
    LARGEST_PICTURE,
    LIMIT_BYTES,
    check_count,
    check_requests,
    requests_of,
)
from cloudml_magic.records import ModelInterface
from tests.prediction.interfaces import BARE_TEXT, CLASSES, LARGE, PICTURES, TABLE, TWO, VECTOR


def ask(value: Any, interface: ModelInterface) -> Given:
    return given(value, interface, lambda where: b"", LARGEST_PICTURE)


def test_rows_of_one_input_are_bare_values() -> None:
    """As TensorFlow Serving takes them; floats in their shortest form."""
    (request,) = requests_of(ask([[0.1, 2, 3, 4]], VECTOR), takes_binary=True)
    assert request.content is None
    assert json.dumps(request.instances) == "[[0.1, 2.0, 3.0, 4.0]]"


def test_rows_of_several_inputs_are_objects() -> None:
    """Each names its inputs; text is text."""
    (request,) = requests_of(ask({"age": 25, "work": "Private"}, TABLE), takes_binary=True)
    assert request.instances == ({"age": [25.0], "work": ["Private"]},)


def test_numbers_for_a_picture_model_name_their_signature() -> None:
    """`predict` knows the default one only, so these go through as they are."""
    (request,) = requests_of(ask(np.zeros((1, 8, 8, 1)), PICTURES), takes_binary=True)
    assert request.content is not None and request.content_type == "application/json"
    body = json.loads(request.content)
    assert body["signature_name"] == "tensors" and np.shape(body["instances"]) == (1, 8, 8, 1)


def test_many_numbers_go_as_numpy_writes_them() -> None:
    """Where the server reads it: a fifth of the bytes of JSON, and no parsing."""
    (request,) = requests_of(ask(np.ones((5, 50_000)), LARGE), takes_binary=True)
    assert request.content_type == "application/x-npz" and request.content is not None
    with np.load(io.BytesIO(request.content), allow_pickle=False) as archive:
        assert archive["x"].shape == (5, 50_000) and archive["x"].dtype == np.float32
    (as_json,) = requests_of(ask(np.ones((1, 50_000)), LARGE), takes_binary=False)
    assert as_json.content is None and len(as_json.instances) == 1


@pytest.mark.parametrize("takes_binary", [True, False])
def test_no_request_is_larger_than_the_service_takes(takes_binary: bool) -> None:
    """What does not fit into one is split, in order, nothing lost."""
    values = np.arange(20 * 50_000, dtype=np.float32).reshape(20, 50_000)
    requests = requests_of(ask(values, LARGE), takes_binary=takes_binary)
    assert len(requests) > 1
    found = []
    for request in requests:
        body = request.content if request.content is not None else json.dumps({"instances": request.instances}).encode()
        assert len(body) <= LIMIT_BYTES
        if takes_binary:
            with np.load(io.BytesIO(body)) as archive:
                found.append(archive["x"])
        else:
            found.append(np.array(request.instances, np.float32))
    np.testing.assert_array_equal(np.concatenate(found), values)


def test_an_instance_that_fits_into_no_request_is_told() -> None:
    """With what to do."""
    wide = ModelInterface(
        {"serving_default": type(LARGE.signatures["serving_default"])(
            "serving_default", (type(CLASSES[0])("x", "float32", (None, 900_000)),), CLASSES)}
    )  # fmt: skip
    with pytest.raises(CloudMLError) as raised:
        requests_of(ask(np.ones((1, 900_000)), wide), takes_binary=True)
    assert str(raised.value) == (
        "Instance 0 has 3,600,000 bytes in a request; 1,500,000 are allowed for all of one request.\n"
        "  Next: Send a picture as a file in place of its numbers, or use `%ml_batch_predict`, which has no such limit.\n"
        "[instance-too-large]"
    )


def test_more_than_online_requests_should_carry_is_a_batch() -> None:
    """The way there is in the message."""
    requests = requests_of(ask(np.ones((500, 50_000)), LARGE), takes_binary=True)
    with pytest.raises(CloudMLError, match=r"%ml_batch_predict big --input VARIABLE"):
        check_requests(requests, 500, "big")
    check_count(20_000, "big")
    with pytest.raises(CloudMLError) as raised:
        check_count(2_500_000, "big")
    assert str(raised.value) == (
        "2,500,000 instances are more than a card waits for.\n"
        "  Why:  Online predictions are for few instances; 20,000 are the most.\n"
        "  Next: Ask for all of them at once: `%ml_batch_predict big --input VARIABLE`.\n"
        "[too-many-instances]"
    )


def test_only_what_a_card_shows_is_told_of_many() -> None:
    """Two columns and 20,000 rows take no longer than two dozen."""
    many = ask({"age": [25] * 20_000, "work": ["Private"] * 20_000}, TABLE)
    instances = instances_of(many, TABLE, [[0.25]] * 20_000)
    assert len(instances) == 120
    assert instances[23].inputs == {"age": 25, "work": "Private"}


def test_a_text_without_dimensions_stands_beside_its_answer() -> None:
    """As `keras.Input((), dtype="string")` and a SavedModel from elsewhere take it."""
    (instance,) = instances_of(ask(["good film"], BARE_TEXT), BARE_TEXT, [[0.9]])
    assert instance.inputs == {"text": "good film"}


def test_classes_have_their_labels_and_come_best_first() -> None:
    """By the manifest's labels, with the shares that the model gave."""
    instances = instances_of(ask(np.zeros((1, 8, 8, 1)), PICTURES), PICTURES, [[0.2, 0.7, 0.1]])
    assert instances[0].outputs[0].classes == (("dog", 0.7), ("cat", 0.2), ("bird", 0.1))
    assert instances[0].outputs[0].value == [0.2, 0.7, 0.1]


def test_logits_become_shares() -> None:
    """The numbers stay what they are; the shares are their softmax."""
    logits = ModelInterface(PICTURES.signatures, PICTURES.picture, activations={"output_0": "logits"})
    classes = instances_of(ask(np.zeros((1, 8, 8, 1)), logits), logits, [[1.0, 3.0, -800.0]])[0].outputs[0].classes
    assert [label for label, _ in classes] == ["class 1", "class 0", "class 2"]
    assert math.isclose(sum(share for _, share in classes), 1.0)


def test_one_probability_is_that_of_the_second_of_two_labels() -> None:
    """As Keras trains `sigmoid` on 0 and 1."""
    given_row = ask({"age": 25, "work": "Private"}, TABLE)
    (instance,) = instances_of(given_row, TABLE, [[0.25]])
    assert instance.outputs[0].classes == (("poor", 0.75), ("rich", 0.25))
    assert instance.inputs == {"age": 25, "work": "Private"}


def test_a_model_from_elsewhere_is_read_by_its_numbers() -> None:
    """All rows sum to one: shares of classes. Otherwise they are numbers."""
    row = ask({"a": [[1, 2]], "b": [[1, 2, 3]]}, TWO)
    assert instances_of(row, TWO, [[0.2, 0.7, 0.1]])[0].outputs[0].classes[0] == ("class 1", 0.7)
    assert instances_of(row, TWO, [[0.2, 0.7, 0.9]])[0].outputs[0].classes == ()


def test_several_outputs_are_told_apart_by_name() -> None:
    """An object an instance."""
    row = ask({"a": [[1, 2]], "b": [[1, 2, 3]]}, TWO)
    outputs = instances_of(row, TWO, [{"price": [3.5], "kind": [0.1, 0.9]}])[0].outputs
    assert [(output.name, output.value) for output in outputs] == [("price", [3.5]), ("kind", [0.1, 0.9])]


def test_a_picture_keeps_its_thumbnail() -> None:
    """Beside its classes."""
    file = io.BytesIO()
    Image.new("RGB", (300, 200), "green").save(file, "PNG")
    found = ask(file.getvalue(), PICTURES)
    thumbnail = instances_of(found, PICTURES, [[1.0, 0.0, 0.0]])[0].thumbnail
    assert thumbnail is not None and max(Image.open(io.BytesIO(thumbnail)).size) == 96


@drawn(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=12,
    )
)
def test_whatever_a_model_answers_can_be_read(value: Any) -> None:
    """A serving image of the user's own may answer anything."""
    (instance,) = instances_of(ask([[1, 2, 3, 4]], VECTOR), VECTOR, [value])
    assert isinstance(instance.outputs, tuple)
