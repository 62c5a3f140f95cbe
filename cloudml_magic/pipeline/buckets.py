"""Buckets as a person looks through them: list, look into, bring, send."""

from __future__ import annotations

import base64
import io
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cloudml_magic.pipeline.session import connection
from cloudml_magic.storage import Address, Level, StoredObject
from cloudml_magic.wording import clean

_MOST_LISTED = 500
_TEXT_BYTES = 64 << 10
_PICTURE_BYTES = 32 << 20
_MOST_PIXELS = 25_000_000
_SIDE = 512
_TOO_MANY_PIXELS = "The picture has too many pixels to be shown here."
_DECODING = threading.Lock()
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")


def buckets() -> list[tuple[str, float | None]]:
    """The buckets of the place where jobs go now, and when each was made."""
    return connection().browser.buckets()


def level(folder: str, page: str | None = None) -> Level:
    """What lies directly in a folder, in pages of 500."""
    return connection().browser.level(Address.parse(folder), page, _MOST_LISTED)


def stored(address: str) -> StoredObject:
    """What is known of an object."""
    return connection().browser.stored(Address.parse(address))


def chunks(address: str) -> Iterator[bytes]:
    """An object piece by piece."""
    return connection().browser.chunks(Address.parse(address))


def upload(address: str, file: Path, content_type: str, *, overwrite: bool) -> None:
    """Stores a file of this machine under an address."""
    connection().browser.put_file(Address.parse(address), file, content_type, overwrite=overwrite)


def preview(address: str) -> dict[str, Any]:
    """A text or picture as it can be shown, without anything that a browser would run."""
    where, browser = Address.parse(address), connection().browser
    size = browser.stored(where).size
    begun = browser.beginning(where, _TEXT_BYTES)
    if _is_picture(begun):
        if size > _PICTURE_BYTES:
            return _nothing("The picture is too large to be shown here.")
        shown = _picture(begun if size <= len(begun) else browser.read(where) or b"")
        if shown is not None:
            return shown
    text = _text(begun, cut=size > len(begun))
    if text is None:
        return _nothing("It holds neither a text nor a picture that can be read.")
    return {"kind": "text", "text": text, "cut": size > len(begun)}


def _text(content: bytes, *, cut: bool) -> str | None:
    # What was cut may end within a character.
    for end in range(len(content), max(-1, len(content) - (4 if cut else 1)), -1):
        try:
            text = content[:end].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else clean(text)
    return None


def _is_picture(begun: bytes) -> bool:
    return begun.startswith((b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"BM")) or begun[8:12] == b"WEBP"


def _picture(content: bytes) -> dict[str, Any] | None:
    """Decoded and encoded anew, so that what is shown is a picture and nothing else; None for what only begins so.

    One at a time, since each may take a hundred megabytes.
    """
    from PIL import Image

    try:
        with _DECODING, warnings.catch_warnings():
            # Ours is the limit, and it is stricter.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
                if opened.width * opened.height > _MOST_PIXELS:
                    return _nothing(_TOO_MANY_PIXELS)
                is_clear = "A" in opened.getbands() or "transparency" in opened.info
                # Small before anything else is made of it.
                opened.thumbnail((_SIDE, _SIDE))
                shown = opened.convert("RGBA" if is_clear else "RGB")
        file = io.BytesIO()
        if is_clear:
            shown.save(file, "PNG")
        else:
            shown.save(file, "JPEG", quality=85)
    except Image.DecompressionBombError:
        return _nothing(_TOO_MANY_PIXELS)
    except (OSError, SyntaxError, ValueError, EOFError):
        return None
    kind = "image/png" if is_clear else "image/jpeg"
    return {"kind": "picture", "content_type": kind, "content": base64.b64encode(file.getvalue()).decode()}


def _nothing(why: str) -> dict[str, Any]:
    return {"kind": "none", "why": why}
