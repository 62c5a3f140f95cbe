"""Pictures: both engines see the same pixels; what is damaged, mislabelled or too large is named before it costs anything."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import PictureInput
from cloudml_magic.serving import pictures
from tests.long_counts import within
from tests.serving.pictures_made import bomb, claiming, encoded
from tests.serving.processes import ServingProcess

KINDS: list[tuple[str, str, dict[str, Any]]] = [
    ("RGB", "JPEG", {"subsampling": 0}), ("RGB", "JPEG", {"subsampling": 1}), ("RGB", "JPEG", {"subsampling": 2}),
    ("RGB", "JPEG", {"progressive": True}), ("L", "JPEG", {}), ("RGB", "PNG", {}), ("RGBA", "PNG", {}), ("L", "PNG", {}),
    ("LA", "PNG", {}), ("P", "PNG", {}), ("P", "GIF", {}), ("RGB", "BMP", {}),
]  # fmt: skip
SIZES = [(300, 200), (97, 211), (64, 48), (20, 5), (33, 64), (4, 4)]


@pytest.mark.slow
@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pixels_are_those_of_the_exported_graph(channels: int, resize: str) -> None:
    import tensorflow as tf

    from cloudml_magic.trainer.export.calling import Input
    from cloudml_magic.trainer.export.picture import Picture, decoded

    theirs = Picture(48, 64, channels, resize, Input("x", "float32", (None, 48, 64, channels)))
    graph = tf.function(lambda content: decoded(content, theirs))
    ours = PictureInput("image_bytes", 48, 64, channels, resize)
    for mode, format, options in KINDS:
        for width, height in SIZES:
            content = encoded(width, height, mode, format, **options)
            difference = np.abs(pictures.pixels(content, ours, 0) - graph(tf.constant([content])).numpy()[0]).max()
            assert difference < 1e-3, (mode, format, options, width, height)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (
            b"",
            "Instance 1 is no JPEG, PNG, GIF or BMP picture.\n  Why:  It is empty.\n"
            '  Next: Send the bytes of a picture file as {"b64": "…"}.\n[no-picture]',
        ),
        (
            b"\xff\xd8\xff\xe0nothing",
            "Instance 1 is no JPEG, PNG, GIF or BMP picture.\n"
            "  Why:  It begins with b'\\xff\\xd8\\xff\\xe0noth'.\n"
            '  Next: Send the bytes of a picture file as {"b64": "…"}.\n[no-picture]',
        ),
        (
            claiming(13000, 13000),
            "Instance 1 is a picture of 13000 × 13000 pixels; at most 25 million are decoded.\n"
            "  Next: Make it smaller first: the model sees 64 × 48 pixels of it.\n[picture-too-large]",
        ),
        (
            claiming(24_000, 1),
            "Instance 1 is a picture of 24000 × 1 pixels; at most 25 million (with the borders that make it fit) are decoded.\n"
            "  Next: Make it smaller first: the model sees 64 × 48 pixels of it.\n[picture-too-large]",
        ),
    ],
)
def test_what_is_no_picture_or_too_large_a_one_is_refused_by_its_header(content: bytes, text: str) -> None:
    with pytest.raises(CloudMLError) as caught:
        pictures.checked([encoded(8, 8), content], PictureInput("image_bytes", 48, 64, 3, "pad"))
    assert caught.value.rendered() == text


def test_many_pixels_together_are_refused_too() -> None:
    with pytest.raises(CloudMLError, match="The pictures have more than 250 million pixels together"):
        pictures.checked([claiming(5000, 5000)] * 11, PictureInput("image_bytes", 48, 64, 3))


def test_base64_text_stands_for_a_picture() -> None:
    content = encoded(8, 8)
    text = base64.urlsafe_b64encode(content).rstrip(b"=")
    assert pictures.checked([text, content], PictureInput("image_bytes", 48, 64, 3)).contents == [content, content]


@pytest.fixture(params=[False, True], ids=["tensorflow", "onnxruntime"])
def flowers(request: pytest.FixtureRequest, served: Callable[..., ServingProcess]) -> ServingProcess:
    return served("flowers", request.param)


def as_instances(*contents: bytes) -> dict[str, Any]:
    return {"instances": [{"b64": base64.b64encode(content).decode()} for content in contents]}


@pytest.mark.slow
def test_both_engines_answer_pictures_alike(served: Callable[..., ServingProcess]) -> None:
    contents = [encoded(80, 60, mode, format, seed) for seed, (mode, format, _) in enumerate(KINDS)]
    slow, fast = (
        served("flowers", is_fast).ask(as_instances(*contents)).json["predictions"] for is_fast in (False, True)
    )
    assert len(slow) == len(contents) and np.allclose(slow, fast, atol=1e-5)
    assert np.ptp(slow, axis=0).max() > 1e-3
    text = base64.urlsafe_b64encode(contents[0]).decode().rstrip("=")
    for each in (served("flowers", False), served("flowers", True)):
        assert np.allclose(each.ask({"instances": [text]}).json["predictions"], slow[:1], atol=1e-5)
        named = each.ask({"instances": [{"image_bytes": {"b64": text}}], "signature_name": "serving_default"})
        assert np.allclose(named.json["predictions"], slow[:1], atol=1e-5)


@pytest.mark.slow
def test_pixels_and_tensors_are_signatures_of_their_own(flowers: ServingProcess) -> None:
    content = encoded(24, 32, format="PNG")
    pixels = pictures.pixels(content, PictureInput("image_bytes", 32, 24, 3), 0)[None]
    expected = flowers.ask(as_instances(content)).json["predictions"]
    found = flowers.ask({"instances": pixels.tolist(), "signature_name": "pixels"}).json["predictions"]
    assert np.allclose(found, expected, atol=1e-5)
    assert flowers.ask({"instances": pixels.tolist(), "signature_name": "tensors"}).status == 200


@pytest.mark.slow
def test_a_damaged_picture_is_named_by_its_instance(flowers: ServingProcess) -> None:
    good = encoded(200, 150)
    for bad in (good[: len(good) // 2], encoded(200, 150, format="PNG")[:500], claiming(100, 100)):
        reply = flowers.ask(as_instances(good, good, bad))
        assert reply.status == 400, reply.content
        assert reply.error.startswith("Instance 2 is a picture that cannot be decoded.")
        assert reply.error.endswith("The file is damaged or was cut off: send it again.")
    assert flowers.ask(as_instances(b"%PDF-1.7")).error == (
        "Instance 0 is no JPEG, PNG, GIF or BMP picture. It begins with b'%PDF-1.7'. "
        'Send the bytes of a picture file as {"b64": "…"}.'
    )


@pytest.mark.slow
def test_a_decompression_bomb_costs_nothing(flowers: ServingProcess) -> None:
    content = bomb(13_000)
    flowers.ask(as_instances(encoded(8, 8)))
    before, began = flowers.memory(), time.perf_counter()
    reply = flowers.ask(as_instances(content))
    assert time.perf_counter() - began < within(1)
    assert reply.status == 400 and reply.error.startswith("Instance 0 is a picture of 13000 × 13000 pixels;")
    assert flowers.memory() - before < 200 * 1024 * 1024
    assert flowers.ask(as_instances(encoded(8, 8))).status == 200
