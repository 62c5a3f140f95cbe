"""What engines are compared on: numbers of several scales and statistics, and pictures of several kinds."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from cloudml_magic.records import PictureInput, Signature, TensorSpec
from cloudml_magic.serving.engines import Tensors

_OPEN_SIZES = (16, 24)
_ROWS = (4, 1, 3)
_SCALES = (1.0, 0.1, 10.0, 255.0)


def trials(signature: Signature) -> Iterator[Tensors]:
    """Inputs of all kinds, with different numbers of rows, and sizes where the model leaves them open."""
    random = np.random.default_rng(20)
    number = 0
    for scale in _SCALES:
        for kind in ("normal", "uniform", "smooth"):
            rows, size = _ROWS[number % len(_ROWS)], _OPEN_SIZES[number % len(_OPEN_SIZES)]
            number += 1
            yield {spec.name: _numbers(spec, kind, scale, rows, size, random) for spec in signature.inputs}


def _numbers(spec: TensorSpec, kind: str, scale: float, rows: int, size: int, random: np.random.Generator) -> Any:
    shape = (rows, *(number or size for number in spec.shape[1:]))
    if kind == "uniform":
        values = random.uniform(0, scale, shape)
    elif kind == "smooth" and len(shape) > 2:
        values = scale * _smooth(shape, random)
    else:
        values = random.normal(0, scale, shape)
    return values.astype(spec.dtype)


def _smooth(shape: tuple[int, ...], random: np.random.Generator) -> Any:
    """Waves over the first two dimensions after the rows: what pictures and series look like from afar."""
    values = np.zeros(shape)
    for axis in range(1, min(3, len(shape))):
        places = np.arange(shape[axis]).reshape([-1 if index == axis else 1 for index in range(len(shape))])
        sizes = (shape[0], *(1 for _ in shape[1:-1]), shape[-1] if axis < len(shape) - 1 else 1)
        waves, shifts = random.uniform(0.02, 0.5, sizes), random.uniform(0, 6.3, sizes)
        values = values + np.sin(places * waves + shifts)
    return values


def encoded_trials(picture: PictureInput) -> Iterator[bytes]:
    """JPEG and PNG pictures of different sizes: waves, noise, and plain shapes."""
    random = np.random.default_rng(21)
    sizes = ((picture.width, picture.height), (640, 480), (300, 500), (200, 150), (97, 131))
    for number, (width, height) in enumerate(sizes):
        for make in (_waves, _noise, _shapes):
            image = make(width, height, random)
            yield _encoded(image, "JPEG", quality=(95, 85, 75)[number % 3])
            yield _encoded(image, "PNG")


def _waves(width: int, height: int, random: np.random.Generator) -> Image.Image:
    values = _smooth((1, height, width, 3), random)[0]
    return Image.fromarray(((values + 2) * 63.75).clip(0, 255).astype(np.uint8))


def _noise(width: int, height: int, random: np.random.Generator) -> Image.Image:
    small = random.integers(0, 256, (max(2, height // 16), max(2, width // 16), 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def _shapes(width: int, height: int, random: np.random.Generator) -> Image.Image:
    image = Image.new("RGB", (width, height), _colour(random))
    draw = ImageDraw.Draw(image)
    for _ in range(8):
        left, right = sorted(random.integers(0, width, 2).tolist())
        top, bottom = sorted(random.integers(0, height, 2).tolist())
        draw.ellipse((left, top, right, bottom), fill=_colour(random))
    return image


def _colour(random: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = random.integers(0, 256, 3).tolist()
    return red, green, blue


def _encoded(image: Image.Image, format: str, **options: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()
