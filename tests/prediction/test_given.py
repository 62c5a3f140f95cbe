"""Whatever a user has becomes what the model takes, or one sentence says what to change."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.prediction.given import Given, given
from cloudml_magic.pipeline.prediction.requests import LARGEST_PICTURE
from cloudml_magic.records import ModelInterface
from tests.prediction.interfaces import PICTURES, TABLE, TEXT, TWO, VECTOR


def encoded(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def ask(value: Any, interface: ModelInterface) -> Given:
    return given(value, interface, lambda where: Path(where).read_bytes(), LARGEST_PICTURE)


def refusal(value: Any, interface: ModelInterface) -> str:
    with pytest.raises(CloudMLError) as raised:
        ask(value, interface)
    return str(raised.value)


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


def test_pictures_in_every_form(tmp_path: Path) -> None:
    """Files, bytes, images of Pillow, pixels, and base64 in either alphabet, also mixed in one list."""
    image = Image.effect_noise((20, 10), 100)
    content = encoded(image)
    (tmp_path / "a.png").write_bytes(content)
    safe = base64.urlsafe_b64encode(content).decode()
    values = [str(tmp_path / "a.png"), tmp_path / "a.png", content, image, np.asarray(image), {"b64": safe}]
    whole = ask(values, PICTURES)
    assert whole.signature.name == "serving_default" and whole.count == 6
    for value, picture in zip(values, whole.pictures, strict=True):
        assert ask(value, PICTURES).pictures[0].content == picture.content
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(picture.content))), np.asarray(image))
        assert picture.thumbnail
    assert [picture.name for picture in whole.pictures] == ["a.png", "a.png", "", "", "", ""]


def test_a_stack_of_pixels_is_as_many_pictures() -> None:
    """Whole numbers of one byte are pixels, with or without a dimension for the channel."""
    assert ask(np.zeros((3, 20, 20, 3), np.uint8), PICTURES).count == 3
    assert ask(np.zeros((20, 20), np.uint8), PICTURES).count == 1


def test_floats_for_a_picture_model_are_what_predict_takes() -> None:
    """They go to the model as they are, and are shown as pictures all the same."""
    found = ask(np.random.default_rng(0).random((2, 8, 8, 1)), PICTURES)
    assert found.signature.name == "tensors" and not found.pictures
    assert [bool(thumbnail) for thumbnail in found.thumbnails] == [True, True]
    assert ask(np.zeros((8, 8, 1)), PICTURES).count == 1


def test_a_picture_is_turned_upright() -> None:
    """A phone writes how it was held beside the pixels."""
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = ask(encoded(Image.new("RGB", (40, 20), "red"), "JPEG", exif=exif), PICTURES).pictures[0]
    assert Image.open(io.BytesIO(turned.content)).size == (20, 40)
    assert turned.note == ""


@pytest.mark.parametrize("format", ["WEBP", "TIFF"])
def test_formats_that_no_signature_decodes_are_converted(format: str) -> None:
    """Pillow reads more than TensorFlow does."""
    sent = ask(encoded(Image.new("RGB", (10, 10), "red"), format), PICTURES).pictures[0]
    opened = Image.open(io.BytesIO(sent.content))
    assert opened.format == "PNG"
    red, green, blue = opened.convert("RGB").getpixel((5, 5))  # type: ignore[misc]
    assert red > 240 and green < 20 and blue < 20


def test_a_picture_that_is_too_large_is_made_smaller_and_says_so() -> None:
    """What is sent fits, and the card tells it."""
    noise = Image.frombytes("RGB", (1800, 1200), np.random.default_rng(0).bytes(1800 * 1200 * 3))
    picture = ask(encoded(noise, "JPEG", quality=98), PICTURES).pictures[0]
    assert len(picture.content) <= LARGEST_PICTURE
    size = Image.open(io.BytesIO(picture.content)).size
    assert (
        picture.note == f"A picture was made smaller, from 1800 × 1200 to {size[0]} × {size[1]}, to fit into a request."
    )


@pytest.mark.parametrize("content", [b"", b"no picture", encoded(Image.new("RGB", (90, 90)))[:60]])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    """Before anything is sent, in one sentence."""
    text = refusal(content, PICTURES)
    assert text.startswith("A picture cannot be read as a picture.\n  Why: ")
    assert text.endswith("[bad-picture]")


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    """Its header says how large it would be."""
    header = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (30_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    import zlib

    whole = header + zlib.crc32(header[12:]).to_bytes(4, "big") + b"\x00\x00\x00\x00IEND\xaeB`\x82"
    assert "[bad-picture]" in refusal(whole, PICTURES)


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
