"""Thumbnails: what a card shows of a picture."""

from __future__ import annotations

import io
from typing import Any

_SIDE = 96


def thumbnail_of(image: Any) -> bytes:
    """At most 96 pixels a side; small pictures grow by whole factors, so that each pixel can be seen."""
    from PIL import Image

    small = image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
    factor = _SIDE // max(small.size)
    if factor > 1:
        small = small.resize((small.width * factor, small.height * factor), Image.Resampling.NEAREST)
    else:
        small.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    if factor > 1 or small.mode == "RGBA":
        small.save(file, "PNG", optimize=True)
    else:
        small.save(file, "JPEG", quality=80)
    return file.getvalue()


def thumbnails_of_arrays(batch: Any) -> list[bytes | None]:
    """Thumbnails of pictures that are given as numbers of any range, all on one scale; None where they are none."""
    import numpy as np
    from PIL import Image

    values = np.asarray(batch, dtype=np.float32)
    if values.ndim != 4 or values.shape[-1] not in (1, 3, 4):
        return [None] * len(values)
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) * (255.0 / (high - low)) if high > low else values * 0
    pixels = scaled.astype(np.uint8)
    return [thumbnail_of(Image.fromarray(each[..., 0] if each.shape[-1] == 1 else each)) for each in pixels]
