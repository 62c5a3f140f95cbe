"""Bilinear resizing without antialiasing, half-pixel centres: as TensorFlow's own, in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from cloudml_magic.records import PictureInput


def resized(image: Any, picture: PictureInput) -> Any:
    """An image (height, width, channels) in the model's size as float32; only the pixels that count are touched."""
    height, width = image.shape[:2]
    tall, wide = height, width
    if picture.resize == "crop":
        tall, wide = _cropped_size(picture, width, height)
    elif picture.resize == "pad":
        wide, tall = padded_size(picture, width, height)
    rows = _Line(height, tall, picture.height)
    columns = _Line(width, wide, picture.width)
    upper, lower = rows.taken(image, 0)
    top, bottom = _mixed(columns, upper), _mixed(columns, lower)
    share = rows.share[:, None, None]
    mixed: Any = top + (bottom - top) * share
    return mixed


def padded_size(picture: PictureInput, width: int, height: int) -> tuple[int, int]:
    """Width and height once borders have made the proportions those of the model."""
    tall = int(np.float32(width * picture.height) / np.float32(picture.width))
    wide = int(np.float32(height * picture.width) / np.float32(picture.height))
    return max(width, wide), max(height, tall)


def _cropped_size(picture: PictureInput, width: int, height: int) -> tuple[int, int]:
    tall = int(np.float32(width * picture.height) / np.float32(picture.width))
    wide = int(np.float32(height * picture.width) / np.float32(picture.height))
    return max(min(height, tall), 1), max(min(width, wide), 1)


class _Line:
    """One dimension: for each pixel of the result the two pixels that it lies between, and how far.

    `size` is what is there and `wanted` what it is cut or padded to, evenly on both sides, before it becomes `result`.
    """

    def __init__(self, size: int, wanted: int, result: int) -> None:
        places = (np.arange(result, dtype=np.float32) + np.float32(0.5)) * np.float32(wanted / result) - np.float32(0.5)
        floor = np.floor(places)
        self.share = (places - floor).astype(np.float32)
        offset = (size - wanted) // 2 if wanted <= size else -((wanted - size) // 2)
        self._first = np.maximum(floor, 0).astype(np.int64) + offset
        self._second = np.minimum(np.ceil(places), wanted - 1).astype(np.int64) + offset
        self._size = size

    def taken(self, image: Any, axis: int) -> tuple[Any, Any]:
        """The pixels before and after each place; black where there are none."""
        return self._at(image, self._first, axis), self._at(image, self._second, axis)

    def _at(self, image: Any, places: Any, axis: int) -> Any:
        found = image.take(places, axis=axis, mode="clip")
        outside = (places < 0) | (places >= self._size)
        if outside.any():
            found[(slice(None),) * axis + (outside,)] = 0
        return found


def _mixed(columns: _Line, rows: Any) -> Any:
    left, right = columns.taken(rows, 1)
    left = left.astype(np.float32)
    return left + (right.astype(np.float32) - left) * columns.share[None, :, None]
