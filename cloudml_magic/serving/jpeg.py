"""JPEG pictures to the last bit as TensorFlow decodes them, with Pillow.

TensorFlow asks libjpeg for its fast transform and for smooth colours; Pillow can ask for the fast transform only
together with coarse colours. So they are made smooth here, by libjpeg's own rule and only where a pixel is wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

PixelsAt = Callable[[Any, Any], Any]
"""The pixels of these rows and these columns, (rows, columns, channels)."""

_FAST_TRANSFORM = (1, 1)
_HALF = 1 << 15
# libjpeg smooths no picture narrower than this.
_NARROWEST = 3


def opened_fast(image: Any, grey: bool) -> None:
    """Before a JPEG file is decoded: by the fast transform, as grey, or as brightness and two colours."""
    image.draft("L" if grey or image.mode == "L" else "YCbCr", image.size)
    image.decoderconfig = _FAST_TRANSFORM


def takes_fast(image: Any, grey: bool) -> bool:
    """Whether the rules here are those by which the file is decoded."""
    if image.format != "JPEG" or image.mode not in ("L", "RGB"):
        return False
    if grey or image.mode == "L":
        return True
    factors = [(layer[1], layer[2]) for layer in image.layer]
    return image.info.get("adobe_transform", 1) == 1 and factors in (
        [(1, 1)] * 3,
        [(2, 1), (1, 1), (1, 1)],
        [(2, 2), (1, 1), (1, 1)],
    )


def pixels_at(values: Any, across: int, down: int) -> PixelsAt:
    """RGB of decoded brightness and colours, of which one value stands for `across` × `down` pixels."""
    brightness, colours = values[..., 0], values[::down, ::across, 1:].astype(np.int32)
    smooth = across == 2 and colours.shape[1] >= _NARROWEST

    def at(rows: Any, columns: Any) -> Any:
        if smooth:
            blue, red = np.moveaxis(_smooth(colours, rows, columns, down), -1, 0) - 128
        else:
            blue, red = np.moveaxis(colours.take(rows // down, 0).take(columns // across, 1), -1, 0) - 128
        light = brightness.take(rows, 0).take(columns, 1).astype(np.int32)
        mixed = (
            light + ((91881 * red + _HALF) >> 16),
            light + ((-22554 * blue - 46802 * red + _HALF) >> 16),
            light + ((116130 * blue + _HALF) >> 16),
        )
        return np.stack(mixed, axis=-1).clip(0, 255)

    return at


def _smooth(colours: Any, rows: Any, columns: Any, down: int) -> Any:
    """Three parts of the value that a pixel lies in, and one of the nearest neighbour."""
    sums = colours.take(rows // down, 0)
    if down == 2:
        sums = 3 * sums + colours.take(_neighbour(rows, len(colours)), 0)
    near, far = sums.take(columns // 2, 1), sums.take(_neighbour(columns, colours.shape[1]), 1)
    is_odd = (columns % 2)[:, None]
    if down == 2:
        return (3 * near + far + 8 - is_odd) >> 4
    return (3 * near + far + 1 + is_odd) >> 2


def _neighbour(places: Any, count: int) -> Any:
    return (places // 2 + np.where(places % 2, 1, -1)).clip(0, count - 1)
