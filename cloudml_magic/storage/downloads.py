"""Brings an object to a file: whole, unharmed, or not at all."""

# Paths are text here, which pathlib would normalise.
# ruff: noqa: PTH103, PTH105, PTH108, PTH118, PTH123

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable
from typing import Any, BinaryIO

from cloudml_magic.errors import CloudMLError
from cloudml_magic.storage.address import Address
from cloudml_magic.storage.objects import patience, undamaged
from cloudml_magic.storage.refusals import explained
from cloudml_magic.storage.stored_object import StoredObject


class _Counted:
    """A file that tells how much was written to it."""

    def __init__(self, file: BinaryIO, moved: Callable[[int], None]) -> None:
        self._file = file
        self._moved = moved
        self.written = 0

    def write(self, chunk: bytes) -> int:
        self._moved(len(chunk))
        self.written += len(chunk)
        return self._file.write(chunk)


def fetch(client: Any, bucket: str, stored: StoredObject, path: str, moved: Callable[[int], None]) -> None:
    """Downloads exactly the generation that was listed; a broken download goes on where it broke."""
    from google.api_core.exceptions import NotFound, PreconditionFailed

    address = Address(bucket, stored.name)
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name[:40]}.{secrets.token_hex(4)}")
    blob = client.bucket(bucket).blob(stored.name)

    def attempt() -> None:
        with open(temporary, "wb") as file:
            counted = _Counted(file, moved)
            try:
                blob.download_to_file(counted, if_generation_match=stored.generation, checksum="crc32c", **patience())
            except BaseException:
                moved(-counted.written)
                raise

    try:
        os.makedirs(folder or ".", exist_ok=True)
        with explained(address):
            try:
                undamaged(attempt)
            except (NotFound, PreconditionFailed):
                raise CloudMLError(
                    "object-changed",
                    f"{address} was replaced or deleted while it was copied.",
                    next="Copy it again.",
                ) from None
        os.replace(temporary, path)
    except (OSError, ValueError) as problem:
        raise unwritable(path, problem) from problem
    finally:
        if os.path.lexists(temporary):
            os.unlink(temporary)


def unwritable(path: str, problem: OSError | ValueError) -> CloudMLError:
    """Why a file could not be made; a full disk concerns all that follow."""
    if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return CloudMLError(
            "disk-full",
            f"There is no room for {path}.",
            why=problem.strerror or "The disk is full.",
            next="Make room and run the line again: what has arrived stays, and nothing half is left.",
        )
    return CloudMLError(
        "file-unwritable",
        f"{path} cannot be written.",
        why=(isinstance(problem, OSError) and problem.strerror) or str(problem),
        next="Choose another folder, or make this one writable.",
    )
