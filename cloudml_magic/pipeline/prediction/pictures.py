"""Pictures on their way to a model: read with Pillow, upright, small enough for a request, and as thumbnails."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, field
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.prediction.thumbnails import thumbnail_of
from cloudml_magic.records import PictureInput

# What every serving signature decodes; anything else that Pillow reads is sent as one of these.
_SENT_AS_IT_IS = ("JPEG", "PNG", "GIF", "BMP")
_KEPT_BY_PNG = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
# These are decoded at a fraction of their size at once.
_SCALABLE = ("JPEG", "MPO")
_LOSSY = (*_SCALABLE, "WEBP", "AVIF")
_MOST_PIXELS = 25_000_000
_MOST_SCALABLE_PIXELS = 120_000_000
_MOST_TIMES_SMALLER = 4  # What PNG makes of a photograph, at the very best.
_ORIENTATION = 0x0112
_TURNED_BY_A_QUARTER = 5
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
    from PIL import Image, UnidentifiedImageError

    if not content:
        raise unreadable(name, "It is empty.")
    try:
        with warnings.catch_warnings():
            # Ours is the limit, and it is stricter.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as opened:
                return _of_opened(opened, content, name, largest, wanted)
    except Image.DecompressionBombError:
        raise _too_large(name, "more pixels than are decoded") from None
    except UnidentifiedImageError:
        raise unreadable(name, "Its bytes are no picture that Pillow reads.") from None
    except (OSError, SyntaxError, ValueError, EOFError) as problem:
        raise unreadable(name, str(problem) or type(problem).__name__) from None


def picture_of_array(array: Any, largest: int, wanted: PictureInput) -> Picture:
    """A picture from whole numbers from 0 to 255: height × width, or height × width × channels."""
    from PIL import Image

    if not array.size:
        raise unreadable("", "It has no pixels.", "Give an array with at least one pixel.")
    image = Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array)
    return _encoded(image, "", largest, wanted, image.size)


def picture_of_image(image: Any, name: str, largest: int, wanted: PictureInput) -> Picture:
    """A picture from an image of Pillow."""
    from PIL import ImageOps

    _check_size(image, name)
    upright = ImageOps.exif_transpose(image)
    return _encoded(upright, name, largest, wanted, upright.size, is_lossless=image.format not in _LOSSY)


def unreadable(
    name: str, why: str, next: str = "Give a JPEG, PNG, GIF, BMP, WebP or TIFF file that is whole."
) -> CloudMLError:
    return CloudMLError("bad-picture", f"{name or 'A picture'} cannot be read as a picture.", why=why, next=next)


def _of_opened(opened: Any, content: bytes, name: str, largest: int, wanted: PictureInput) -> Picture:
    """A picture whose header is read and whose pixels are not."""
    from PIL import ImageOps

    _check_size(opened, name)
    turn = opened.getexif().get(_ORIENTATION, 1)
    shown = opened.size[::-1] if turn >= _TURNED_BY_A_QUARTER else opened.size
    is_large = len(content) > largest or shown[0] * shown[1] > _MOST_PIXELS
    if is_large:
        opened.draft(None, (_LARGEST_SIDES[0], _LARGEST_SIDES[0]))
    opened.load()
    if not is_large and turn == 1 and opened.format in _SENT_AS_IT_IS:
        return Picture(content, name, thumbnail_of(opened))
    upright = ImageOps.exif_transpose(opened)
    return _encoded(upright, name, largest, wanted, shown, is_lossless=opened.format not in _LOSSY)


def _check_size(image: Any, name: str) -> None:
    """Refuses by the header what would take too much memory to decode; what is in memory already has no format."""
    most = _MOST_SCALABLE_PIXELS if image.format in _SCALABLE else _MOST_PIXELS
    if image.format is not None and image.width * image.height > most:
        raise _too_large(
            name, f"{image.width} × {image.height} pixels; at most {most // 1_000_000} million are decoded"
        )


def _too_large(name: str, what: str) -> CloudMLError:
    return CloudMLError("picture-too-large", f"{name or 'A picture'} has {what}.", next="Make it smaller first.")


def _encoded(
    image: Any, name: str, largest: int, wanted: PictureInput, shown: tuple[int, int], *, is_lossless: bool = True
) -> Picture:
    """Without loss where that can be sent, as JPEG otherwise, and then with a note; `shown` is its size as given."""
    thumbnail = thumbnail_of(image)
    pixels = image.width * image.height
    may_fit = is_lossless or pixels * len(image.getbands()) <= _MOST_TIMES_SMALLER * largest
    if image.size == shown and pixels <= _MOST_PIXELS and may_fit:
        content = _as_png(image)
        if len(content) <= largest:
            return Picture(content, name, thumbnail)
    content, size = _fitting(image, largest, wanted)
    changed = (
        "was encoded anew as JPEG"
        if size == shown
        else f"was made smaller, from {shown[0]} × {shown[1]} to {size[0]} × {size[1]}"
    )
    return Picture(content, name, thumbnail, f"{name or 'A picture'} {changed}, to fit into a request.")


def _as_png(image: Any) -> bytes:
    whole = image if image.mode in _KEPT_BY_PNG else image.convert("RGBA" if "A" in image.getbands() else "RGB")
    file = io.BytesIO()
    whole.save(file, "PNG", compress_level=3)
    return file.getvalue()


def _fitting(image: Any, largest: int, wanted: PictureInput) -> tuple[bytes, tuple[int, int]]:
    """The picture as JPEG in the largest size that can be sent, and that size; never smaller than the model's own."""
    whole = image.convert("L" if image.mode in ("1", "L") else "RGB")
    least = max(wanted.height, wanted.width)
    own = [max(whole.size)] if whole.width * whole.height <= _MOST_PIXELS else []
    for side in (*own, *(side for side in _LARGEST_SIDES if least < side < max(whole.size)), least):
        whole.thumbnail((side, side))
        file = io.BytesIO()
        whole.save(file, "JPEG", quality=_QUALITY)
        if len(file.getvalue()) <= largest:
            break
    return file.getvalue(), whole.size
