"""Reads an object that grows from where it was read last: every version of it is whole, only what is new is fetched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cloudml_magic.storage.checksums import encoded


@dataclass(frozen=True, slots=True)
class ReadSoFar:
    """Which version of an object was read, how many bytes of it, and the checksum of all of them."""

    generation: int
    size: int
    checksum: int


@dataclass(frozen=True, slots=True)
class Growth:
    """What was read now, and what has been read by now."""

    fresh: bytes
    so_far: ReadSoFar

    @property
    def starts_over(self) -> bool:
        """Whether it is all that there is: nothing was read before, or the object was written anew."""
        return len(self.fresh) == self.so_far.size


def growth_of(blob: Any, before: ReadSoFar | None, timeout: float) -> Growth | None:
    """What came since then, or None if it is still that version.

    An object that was written anew has fewer bytes than were read, or another checksum: it is read from its beginning.
    """
    from google.api_core.exceptions import RequestRangeNotSatisfiable

    unlike = {"if_generation_not_match": before.generation if before else None, "timeout": timeout, "retry": None}
    if before is not None and before.size:
        try:
            # One byte is read again: of an object that has not grown none would be left to ask for.
            part: bytes = blob.download_as_bytes(start=before.size - 1, checksum=None, **unlike)
        except RequestRangeNotSatisfiable:
            pass
        else:
            so_far = _extended(before, part[1:], blob)
            if encoded(so_far.checksum) == blob.crc32c:
                return Growth(part[1:], so_far)
    content: bytes = blob.download_as_bytes(checksum="auto", **unlike)
    return Growth(content, _extended(ReadSoFar(0, 0, 0), content, blob))


def _extended(before: ReadSoFar, content: bytes, blob: Any) -> ReadSoFar:
    import google_crc32c

    checksum = google_crc32c.extend(before.checksum, content)
    return ReadSoFar(int(blob.generation), before.size + len(content), checksum)
