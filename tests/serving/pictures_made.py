"""Encoded pictures of all kinds, made for tests."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image


def encoded(width: int, height: int, mode: str = "RGB", format: str = "JPEG", seed: int = 0, **options: Any) -> bytes:
    """A smooth picture with detail."""
    random = np.random.default_rng(seed)
    channels = {"L": 1, "LA": 2, "RGBA": 4}.get(mode, 3)
    small = Image.fromarray(random.integers(0, 256, (6, 6, channels), dtype=np.uint8).squeeze())
    if mode == "P":
        image = small.quantize(16).resize((width, height))
    else:
        image = small.resize((width, height), Image.Resampling.BILINEAR)
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def bomb(side: int) -> bytes:
    """A JPEG of one colour: few bytes, many pixels."""
    stream = io.BytesIO()
    Image.new("L", (side, side)).save(stream, "JPEG", quality=1)
    return stream.getvalue()


def claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that nothing follows up."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
