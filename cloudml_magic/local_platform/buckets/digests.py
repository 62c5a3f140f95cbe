"""The checksums that Cloud Storage keeps of each object, and files staged with them."""

# Names of objects are text, which pathlib would normalise.
# ruff: noqa: PTH123

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.wire import CHUNK

# File times tick in steps of up to 10 ms: a file changed within one step of its last change looks unchanged.
TICK_NS = 20_000_000


class Digest:
    """md5 and crc32c of what passes by."""

    def __init__(self) -> None:
        import google_crc32c

        self._md5 = hashlib.md5(usedforsecurity=False)
        self._crc32c: Any = google_crc32c.Checksum()  # type: ignore[no-untyped-call]
        self.size = 0

    def update(self, chunk: bytes) -> None:
        self._md5.update(chunk)
        self._crc32c.update(chunk)
        self.size += len(chunk)

    @property
    def md5(self) -> str:
        return base64.b64encode(self._md5.digest()).decode()

    @property
    def crc32c(self) -> str:
        return base64.b64encode(self._crc32c.digest()).decode()


@dataclass(frozen=True, slots=True)
class Staged:
    """A complete file that waits for its place; its bytes are on disk."""

    path: Path
    size: int
    md5: str
    crc32c: str

    def check(self, declared: Mapping[str, str]) -> None:
        """Refuses the file if its sender declared other checksums; `declared` has `md5` and `crc32c` or neither."""
        for name, actual in (("crc32c", self.crc32c), ("md5", self.md5)):
            if declared.get(name, actual) != actual:
                label = {"crc32c": "CRC32C", "md5": "MD5 hash"}[name]
                raise PlatformError(
                    400,
                    f'Provided {label} "{declared[name][:60]}" doesn\'t match calculated {label} "{actual}".',
                )

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)


def crc32c_of(content: bytes) -> str:
    """The checksum of something in memory, as Cloud Storage writes it."""
    import google_crc32c

    return base64.b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode()


def declared_digests(metadata: Mapping[str, Any], header: str) -> dict[str, str]:
    """What the metadata and the x-goog-hash header say that the checksums are."""
    declared = {}
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name in ("crc32c", "md5") and value:
            declared[name] = value
    if metadata.get("crc32c"):
        declared["crc32c"] = metadata["crc32c"]
    if metadata.get("md5Hash"):
        declared["md5"] = metadata["md5Hash"]
    return declared


def chunks(file: BinaryIO, length: int | None = None) -> Iterator[bytes]:
    """The file's next bytes, all or `length` of them, in pieces."""
    left = length
    while left is None or left > 0:
        chunk = file.read(CHUNK if left is None else min(CHUNK, left))
        if not chunk:
            return
        yield chunk
        if left is not None:
            left -= len(chunk)


def digest_of(path: str) -> Digest:
    """The checksums of a file as it is now, reached through no link."""
    digest = Digest()
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb", buffering=0) as file:
        for chunk in chunks(file):
            digest.update(chunk)
    return digest


def stage(folder: Path, pieces: Iterator[bytes]) -> Staged:
    """Writes pieces into a temporary file of the folder, whole and on disk, or leaves nothing."""
    path = folder / f"staged-{secrets.token_hex(16)}"
    digest = Digest()
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb", buffering=0) as file:
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
            settle(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Staged(path, digest.size, digest.md5, digest.crc32c)


def settle(descriptor: int) -> None:
    """Puts a file on disk, dated a moment back so that any later change in place shows in its time."""
    moment = time.time_ns() - 2 * TICK_NS
    os.utime(descriptor, ns=(moment, moment))
    os.fsync(descriptor)


def sync_folder(path: str | Path) -> None:
    """Puts a folder's entries on disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
