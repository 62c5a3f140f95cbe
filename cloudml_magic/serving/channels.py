"""Pixels with as many channels as the model wants, by the rules of TensorFlow's decoders."""

from __future__ import annotations

from typing import Any

import numpy as np

from cloudml_magic.serving.resizing import PixelsAt

# Of libpng, which cuts off what is below one, and of `rgb_to_grayscale`.
_GREY_OF_PNG = np.array([9797, 19234, 3737], np.int64)
_GREY = np.array([0.2989, 0.587, 0.114], np.float32)
_OPAQUE = 255


def with_channels(at: PixelsAt, channels: int, format: str) -> PixelsAt:
    """1 is grey, 3 is RGB, 4 is RGBA; grey is repeated, transparency dropped, or added where there is none."""

    def converted(rows: Any, columns: Any) -> Any:
        values = at(rows, columns)
        found = values.shape[-1]
        if channels == 1:
            return values[..., :1] if found < 3 else _grey(values[..., :3], format)
        colours = values[..., :3] if found >= 3 else np.repeat(values[..., :1], 3, axis=-1)
        if channels == 3:
            return colours
        alpha = values[..., -1:] if found in (2, 4) else np.full((*values.shape[:2], 1), _OPAQUE, values.dtype)
        return np.concatenate([colours, alpha], axis=-1)

    return converted


def _grey(colours: Any, format: str) -> Any:
    if format != "PNG":
        return (colours.astype(np.float32) @ _GREY)[..., None]
    mixed = (colours.astype(np.int64) @ _GREY_OF_PNG) >> 15
    is_grey = (colours[..., 0] == colours[..., 1]) & (colours[..., 1] == colours[..., 2])
    return np.where(is_grey, colours[..., 0], mixed)[..., None]
