"""Files, bytes, images and pixels become pictures that can be sent, as little changed as can be."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cloudml_magic.pipeline.prediction.pictures_given import FileName
from cloudml_magic.pipeline.prediction.requests import LARGEST_PICTURE
from cloudml_magic.records import ModelInterface
from tests.prediction.asking import ask, encoded, refusal
from tests.prediction.interfaces import COLOURED, PICTURES, TEXT, VECTOR


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


@pytest.mark.parametrize(
    ("shape", "interface", "count", "size"),
    [
        ((3, 28, 28), PICTURES, 3, (28, 28)),
        ((3, 8, 8), PICTURES, 3, (8, 8)),
        ((1, 8, 8), PICTURES, 1, (8, 8)),
        ((8, 8, 1), PICTURES, 1, (8, 8)),
        ((20, 30, 3), PICTURES, 1, (30, 20)),
        ((2, 8, 8), COLOURED, 2, (8, 8)),
        ((8, 8, 3), COLOURED, 1, (8, 8)),
    ],
)
def test_three_dimensions_are_read_by_the_size_and_channels_of_the_model(
    shape: tuple[int, ...], interface: ModelInterface, count: int, size: tuple[int, int]
) -> None:
    """A stack of grey pictures, as data sets of digits come, or one picture whose channels come last."""
    pictures = ask(np.zeros(shape, np.uint8), interface).pictures
    assert len(pictures) == count
    assert {Image.open(io.BytesIO(picture.content)).size for picture in pictures} == {size}


@pytest.mark.parametrize("shape", [(40, 40, 5), (2, 40, 40, 5), (3, 8, 8)])
def test_pixels_that_are_no_picture_are_explained(shape: tuple[int, ...]) -> None:
    """Five channels, or channels that come first."""
    assert refusal(np.zeros(shape, np.uint8), COLOURED) == (
        f"An array of shape {list(shape)} is neither a picture nor a stack of them.\n"
        "  Why:  A picture is height × width, or height × width × channels with 1 to 4 channels, which come last; "
        "the model sees 8 × 8 × 3.\n"
        "  Next: Move the channels to the end, `np.moveaxis(x, -3, -1)`, or give a list with one array a picture.\n"
        "[unclear-pixels]"
    )
    assert "It has no pixels." in refusal(np.zeros((5, 0, 3), np.uint8), PICTURES)


def test_pixels_are_sent_without_loss_where_they_fit() -> None:
    """The model sees what `model.predict` would: also of pictures that are larger than thumbnails."""
    pixels = np.random.default_rng(0).integers(0, 255, (500, 500, 3), np.uint8)
    file = encoded(Image.fromarray(pixels), "TIFF")
    for value in (pixels, Image.fromarray(pixels), file):
        (picture,) = ask(value, PICTURES).pictures
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(picture.content))), pixels)
        assert picture.note == ""


def test_pixels_that_do_not_fit_are_sent_as_jpeg_and_say_so() -> None:
    """In their own size while that fits, smaller otherwise."""
    generator = np.random.default_rng(0)
    noise = generator.integers(0, 255, (900, 900, 3), np.uint8)
    (picture,) = ask(noise, PICTURES).pictures
    assert Image.open(io.BytesIO(picture.content)).size == (900, 900)
    assert picture.note == "A picture was encoded anew as JPEG, to fit into a request."
    (large,) = ask(generator.integers(0, 255, (3000, 2000, 3), np.uint8), PICTURES).pictures
    size = Image.open(io.BytesIO(large.content)).size
    assert len(large.content) <= LARGEST_PICTURE and max(size) < 3000
    assert (
        large.note == f"A picture was made smaller, from 2000 × 3000 to {size[0]} × {size[1]}, to fit into a request."
    )


def test_more_pixels_than_a_server_decodes_are_made_fewer() -> None:
    """Even if all of them are black, and fit."""
    (picture,) = ask(np.zeros((6000, 6000), np.uint8), PICTURES).pictures
    assert Image.open(io.BytesIO(picture.content)).size == (2048, 2048)
    assert picture.note == "A picture was made smaller, from 6000 × 6000 to 2048 × 2048, to fit into a request."


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
    assert "[picture-too-large]" in refusal(whole, PICTURES)


def test_a_large_file_is_refused_before_it_is_decoded(recwarn: pytest.WarningsRecorder) -> None:
    """Its header is enough; only JPEGs can be decoded at a fraction of their size."""
    large = encoded(Image.new("1", (9_000, 8_000)))
    for value in (large, Image.open(io.BytesIO(large))):
        assert refusal(value, PICTURES) == (
            "A picture has 9000 × 8000 pixels; at most 25 million are decoded.\n"
            "  Next: Make it smaller first.\n"
            "[picture-too-large]"
        )
    (picture,) = ask(encoded(Image.new("L", (10_000, 9_200)), "JPEG"), PICTURES).pictures
    assert Image.open(io.BytesIO(picture.content)).size == (2500, 2300)
    assert not [warning for warning in recwarn.list if "Bomb" in warning.category.__name__]


def test_pictures_come_in_whatever_lists_them(tmp_path: Path) -> None:
    """Arrays, series, frames and iterators of paths; by the name of the input, too."""
    content = encoded(Image.new("L", (8, 8)))
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(content)
    paths = [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    for value in (
        np.array(paths),
        pd.Series(paths),
        pd.DataFrame({"file": paths}),
        tmp_path.glob("*.png"),
        {"image_bytes": paths},
        [{"image_bytes": path} for path in paths],
    ):
        found = ask(value, PICTURES)
        assert sorted(picture.name for picture in found.pictures) == ["a.png", "b.png"]
    assert ask({"image_bytes": paths[0]}, PICTURES).count == 1


def test_another_signature_is_asked_by_the_name_of_its_input() -> None:
    """`pixels` takes what the picture would be after decoding."""
    found = ask({"pixels": np.zeros((2, 8, 8, 1))}, PICTURES)
    assert found.signature.name == "pixels" and found.count == 2


def test_a_gap_among_pictures_is_named() -> None:
    """By its place."""
    assert refusal([encoded(Image.new("L", (8, 8))), None], PICTURES) == (
        "Instance 1 is no picture: None.\n"
        "  Why:  Others are, and a question holds either pictures or numbers.\n"
        "  Next: Leave it out.\n"
        "[mixed-pictures]"
    )


@pytest.mark.parametrize(
    "value", [[FileName("cat.jpg")], "cat.jpg", ["cat.jpg", "dog.PNG"], Path("cat"), Image.new("L", (8, 8))]
)
def test_a_model_that_takes_no_pictures_says_so(value: Any) -> None:
    """In place of what is wrong with a file's name as a number."""
    assert refusal(value, VECTOR) == (
        "The model takes no picture files.\n"
        "  Why:  The model takes x: float32 [?, 4].\n"
        "  Next: Give its numbers in a cell below `%%ml_predict`; or, if they are a picture of one fixed size,"
        " export the model with `--picture` and deploy that.\n"
        "[no-picture-model]"
    )


def test_a_file_of_the_line_is_no_text() -> None:
    """The word of a cell is; the name of a file is not what a model of texts is asked about."""
    assert ask("cat.jpg", TEXT).tensors["text"].tolist() == [[b"cat.jpg"]]
    assert refusal([FileName("cat.jpg")], TEXT) == (
        "The model takes no picture files.\n"
        "  Why:  The model takes text: string [?, 1].\n"
        "  Next: Put the text itself into a cell below `%%ml_predict`.\n"
        "[no-picture-model]"
    )
