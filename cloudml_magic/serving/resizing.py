"""Bilinear resizing without antialiasing, half-pixel centres: as TensorFlow's own, in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cloudml_magic.records import PictureInput

PixelsAt = Callable[[Any, Any], Any]
"""The pixels of these rows and these columns, (rows, columns, channels)."""


def resized(at: PixelsAt, height: int, width: int, picture: PictureInput) -> Any:
    """A picture in the model's size as float32 (height, width, channels); only the pixels that count are asked for."""
    tall, wide = height, width
    if picture.resize == "crop":
        tall, wide = _cropped_size(picture, width, height)
    elif picture.resize == "pad":
        wide, tall = padded_size(picture, width, height)
    rows = _Line(height, tall, picture.height)
    columns = _Line(width, wide, picture.width)
    top, bottom = (_mixed(at, places, rows, columns) for places in (rows.first, rows.second))
    mixed: Any = top + (bottom - top) * rows.share[:, None, None]
    return mixed


def padded_size(picture: PictureInput, width: int, height: int) -> tuple[int, int]:
    """Width and height once borders have made the proportions those of the model."""
    tall = int(np.float32(width * picture.height) / np.float32(picture.width))
    wide = int(np.float32(height * picture.width) / np.float32(picture.height))
    return width + max(wide - width, 0) // 2 * 2, height + max(tall - height, 0) // 2 * 2


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
        self.first = np.maximum(floor, 0).astype(np.int64) + offset
        self.second = np.minimum(np.ceil(places), wanted - 1).astype(np.int64) + offset
        self._last = size - 1

    def clipped(self, places: Any) -> tuple[Any, Any]:
        """The nearest places that there are, and where there are none, so that it is black."""
        return places.clip(0, self._last), (places < 0) | (places > self._last)


def _mixed(at: PixelsAt, row_places: Any, rows: _Line, columns: _Line) -> Any:
    """The pixels of these rows, between the columns as far as the result lies between them."""
    row_places, no_row = rows.clipped(row_places)
    ends = []
    for places in (columns.first, columns.second):
        column_places, no_column = columns.clipped(places)
        values = at(row_places, column_places).astype(np.float32)
        values[no_row] = 0
        values[:, no_column] = 0
        ends.append(values)
    left, right = ends
    return left + (right - left) * columns.share[None, :, None]
