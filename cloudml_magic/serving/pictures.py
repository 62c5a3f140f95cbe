"""Pictures before the model: their headers are read before anything is decoded; the fast engine's are decoded here.

What becomes of a picture is defined by docs/model_folder.md and done by the model's own graph; the code here is that
same definition for an engine that has no decoder.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import PictureInput
from cloudml_magic.serving.channels import with_channels
from cloudml_magic.serving.resizing import PixelsAt, padded_size, resized
from cloudml_magic.serving.tensors import decoded

MOST_PIXELS = 25_000_000
_MOST_PADDED_PIXELS = 40_000_000
_MOST_PIXELS_OF_REQUEST = 250_000_000
_FORMATS = ("JPEG", "PNG", "GIF", "BMP")
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM")
# Ours is the limit, and it is stricter.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class CheckedPictures:
    """Encoded pictures whose headers are good, and how many bytes the largest one takes once decoded."""

    contents: list[bytes]
    largest: int


def checked(contents: Sequence[bytes], picture: PictureInput) -> CheckedPictures:
    """Refuses what is no picture, or too large a one, by its header alone."""
    plain: list[bytes] = []
    total = largest = 0
    for index, content in enumerate(contents):
        plain.append(_plain(content, index))
        width, height = _opened(plain[-1], index).size
        _check_size(picture, width, height, index)
        total += width * height
        largest = max(largest, width * height)
        if total > _MOST_PIXELS_OF_REQUEST:
            raise CloudMLError(
                "too-many-pixels",
                f"The pictures have more than {_MOST_PIXELS_OF_REQUEST // 1_000_000} million pixels together.",
                next="Send fewer at a time, or smaller ones: "
                f"the model sees {picture.width} × {picture.height} pixels of each.",
            )
    return CheckedPictures(plain, largest * picture.channels * 4)


def pixels(content: bytes, picture: PictureInput, index: int) -> Any:
    """One checked picture as float32 from 0 to 255 in the model's size and channels."""
    opened = _opened(content, index)
    if picture.channels == 1 and opened.format == "JPEG":
        # Its brightness is in the file; mixing it from colours gives other roundings.
        opened.draft("L", opened.size)
    try:
        opened.load()
    except Exception as problem:
        raise _undecodable(index, str(problem) or type(problem).__name__) from None
    return resized(
        with_channels(_pixels_at(opened), picture.channels, opened.format), opened.height, opened.width, picture
    )


def undecodable(contents: Sequence[bytes]) -> CloudMLError | None:
    """Which of several pictures cannot be decoded, where the graph that did it does not say."""
    for index, content in enumerate(contents):
        try:
            _opened(content, index).load()
        except CloudMLError as problem:
            return problem
        except Exception as problem:
            return _undecodable(index, str(problem) or type(problem).__name__)
    return None


def _plain(content: bytes, index: int) -> bytes:
    """The bytes of a picture, also where its base64 text was sent in their place."""
    if content.startswith(_MAGIC):
        return content
    try:
        text = decoded(b"".join(content.split()), f"instance {index}")
    except CloudMLError:
        text = b""
    if not text.startswith(_MAGIC):
        raise _no_picture(index, content)
    return text


def _opened(content: bytes, index: int) -> Any:
    try:
        return Image.open(io.BytesIO(content), formats=_FORMATS)
    # Pillow raises many kinds of exceptions on hostile files (SyntaxError, struct.error, …).
    except Exception:
        raise _no_picture(index, content) from None


def _check_size(picture: PictureInput, width: int, height: int, index: int) -> None:
    padded = padded_size(picture, width, height)
    if width * height > MOST_PIXELS or (
        picture.resize == "pad" and padded[0] * padded[1] > max(MOST_PIXELS, _MOST_PADDED_PIXELS)
    ):
        raise CloudMLError(
            "picture-too-large",
            f"Instance {index} is a picture of {width} × {height} pixels; at most {MOST_PIXELS // 1_000_000} million"
            f"{' (with the borders that make it fit)' if width * height <= MOST_PIXELS else ''} are decoded.",
            next=f"Make it smaller first: the model sees {picture.width} × {picture.height} pixels of it.",
        )


def _no_picture(index: int, content: bytes) -> CloudMLError:
    begins = f"It begins with {content[:8]!r}." if content else "It is empty."
    return CloudMLError(
        "no-picture",
        f"Instance {index} is no JPEG, PNG, GIF or BMP picture.",
        why=begins,
        next='Send the bytes of a picture file as {"b64": "…"}.',
    )


def _undecodable(index: int, reason: str) -> CloudMLError:
    return CloudMLError(
        "picture-damaged",
        f"Instance {index} is a picture that cannot be decoded.",
        why=f"{reason[:200].rstrip('.')}.",
        next="The file is damaged or was cut off: send it again.",
    )


def _pixels_at(image: Any) -> PixelsAt:
    """Grey, or colours, either with transparency where the picture has any."""
    if image.mode.startswith("I"):
        # 16 bits: the decoder of the graph keeps the upper eight.
        values = (np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)
    else:
        has_transparency = image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info
        plain = "LA" if image.mode == "LA" else "L" if image.mode in ("1", "L") else "RGB"
        wanted = "RGBA" if has_transparency and plain == "RGB" else plain
        values = np.asarray(image if image.mode == wanted else image.convert(wanted))
    whole: Any = values if values.ndim == 3 else values[..., None]
    return lambda rows, columns: whole.take(rows, 0).take(columns, 1)
