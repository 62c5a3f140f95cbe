"""Checksums in the form in which Cloud Storage names them: a crc32c, its four bytes in base64."""

from __future__ import annotations

import base64


def encoded(checksum: int) -> str:
    """A crc32c that was counted up."""
    return base64.b64encode(checksum.to_bytes(4, "big")).decode()


def crc32c_of(content: bytes) -> str:
    """The crc32c of something in memory."""
    import google_crc32c

    return encoded(google_crc32c.value(content))
