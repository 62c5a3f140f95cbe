"""Pictures on their way to a model: read with Pillow, upright, small enough for a request, and as thumbnails."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import PictureInput

# What every serving signature decodes; anything else that Pillow reads is sent as one of these.
_SENT_AS_IT_IS = ("JPEG", "PNG", "GIF", "BMP")
_MOST_PIXELS = 25_000_000
_THUMBNAIL = 96
_ORIENTATION = 0x0112
_QUALITY = 90
_LARGEST_SIDES = (2048, 1280, 896, 640, 448)


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture, encoded; `note` says what was done to it on the way."""

    content: bytes = field(repr=False)
    name: str = ""
    thumbnail: bytes | None = field(default=None, repr=False)
    note: str = ""


def picture_of(content: bytes, name: str, largest: int, wanted: PictureInput) -> Picture:
    """A picture from its file's bytes, in a format and size that can be sent; `largest` is in bytes."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not content:
        raise _unreadable(name, "It is empty.")
    try:
        with Image.open(io.BytesIO(content)) as opened:
            shown = opened.size
            is_upright = opened.getexif().get(_ORIENTATION, 1) == 1
            is_large = shown[0] * shown[1] > _MOST_PIXELS or len(content) > largest
            needs_work = opened.format not in _SENT_AS_IT_IS or not is_upright or is_large
            if is_large:
                # JPEGs are decoded at a fraction of their size at once.
                opened.draft(None, (_LARGEST_SIDES[0], _LARGEST_SIDES[0]))
            image = ImageOps.exif_transpose(opened) if not is_upright else opened
            image.load()
            thumbnail = _thumbnail(image)
            if not needs_work:
                return Picture(content, name, thumbnail)
            if not is_large:
                return Picture(_encoded(image), name, thumbnail)
            sent, size = _fitting(image, largest, wanted)
    except Image.DecompressionBombError as problem:
        raise _unreadable(name, f"{problem}", "Make it smaller first.") from None
    except UnidentifiedImageError:
        raise _unreadable(name, "Its bytes are no picture that Pillow reads.") from None
    except (OSError, SyntaxError, ValueError, EOFError) as problem:
        raise _unreadable(name, str(problem) or type(problem).__name__) from None
    return Picture(sent, name, thumbnail, f"{name or 'A picture'} was made smaller, from {shown[0]} × {shown[1]}"
                   f" to {size[0]} × {size[1]}, to fit into a request.")  # fmt: skip


def picture_of_array(array: Any, name: str) -> Picture:
    """A picture from whole numbers from 0 to 255: height × width, or height × width × channels."""
    image = _image(array)
    return Picture(_encoded(image), name, _thumbnail(image))


def picture_of_image(image: Any, name: str, largest: int, wanted: PictureInput) -> Picture:
    """A picture from an image of Pillow."""
    file = io.BytesIO()
    mode = image if image.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16") else image.convert("RGB")
    mode.save(file, "PNG", compress_level=1)
    return picture_of(file.getvalue(), name, largest, wanted)


def thumbnails_of_arrays(batch: Any) -> list[bytes | None]:
    """Thumbnails of pictures that are given as numbers of any range, all on one scale; None where they are none."""
    import numpy as np

    values = np.asarray(batch, dtype=np.float32)
    if values.ndim == 4 and values.shape[-1] in (1, 3, 4):
        low, high = float(values.min()), float(values.max())
        scaled = (values - low) * (255.0 / (high - low)) if high > low else values * 0
        return [_thumbnail(_image(each.astype(np.uint8))) for each in scaled]
    return [None] * len(values)


def _image(array: Any) -> Any:
    import numpy as np
    from PIL import Image

    plain = np.asarray(array)
    return Image.fromarray(plain[..., 0] if plain.ndim == 3 and plain.shape[-1] == 1 else plain)


def _thumbnail(image: Any) -> bytes:
    """At most 96 pixels a side; small pictures grow by whole factors, so that each pixel can be seen."""
    from PIL import Image

    small = image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
    factor = _THUMBNAIL // max(small.size)
    if factor > 1:
        small = small.resize((small.width * factor, small.height * factor), Image.Resampling.NEAREST)
    else:
        small.thumbnail((_THUMBNAIL, _THUMBNAIL))
    file = io.BytesIO()
    if factor > 1 or small.mode == "RGBA":
        small.save(file, "PNG", optimize=True)
    else:
        small.save(file, "JPEG", quality=80)
    return file.getvalue()


def _encoded(image: Any) -> bytes:
    """Without loss where that is small, as JPEG otherwise."""
    file = io.BytesIO()
    if image.mode == "RGB" and image.width * image.height > 256 * 256:
        image.save(file, "JPEG", quality=_QUALITY)
    else:
        whole = (
            image if image.mode in ("L", "LA", "RGB", "RGBA") else image.convert("RGBA" if "A" in image.mode else "RGB")
        )
        whole.save(file, "PNG")
    return file.getvalue()


def _fitting(image: Any, largest: int, wanted: PictureInput) -> tuple[bytes, tuple[int, int]]:
    """The picture as JPEG in the largest size that can be sent, and that size; never smaller than the model's own."""
    whole = image.convert("RGB")
    least = max(wanted.height, wanted.width)
    for side in (*(side for side in _LARGEST_SIDES if side > least), least):
        whole.thumbnail((side, side))
        file = io.BytesIO()
        whole.save(file, "JPEG", quality=_QUALITY)
        if len(file.getvalue()) <= largest:
            break
    return file.getvalue(), whole.size


def _unreadable(
    name: str, why: str, next: str = "Give a JPEG, PNG, GIF, BMP, WebP or TIFF file that is whole."
) -> Exception:
    return CloudMLError("bad-picture", f"{name or 'A picture'} cannot be read as a picture.", why=why, next=next)
