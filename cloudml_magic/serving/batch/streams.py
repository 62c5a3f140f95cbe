"""The bytes of an input object from a place on, unpacked where they are compressed."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from cloudml_magic.errors import CloudMLError

READ = 1024 * 1024


class BrokenInputError(Exception):
    """An object whose rest cannot be read, and why."""


class ByteStream(Protocol):
    """What readers read from."""

    def read(self, size: int, /) -> bytes: ...


class _Unpacked:
    def __init__(self, file: gzip.GzipFile) -> None:
        self._file = file

    def read(self, size: int, /) -> bytes:
        try:
            # `read` would lose what came before the damage.
            return self._file.read1(size)
        except EOFError:
            raise BrokenInputError("The object ends in the middle of its compressed data: it was cut off.") from None
        except (gzip.BadGzipFile, zlib.error) as problem:
            raise BrokenInputError(f"The object's compressed data is damaged: {problem}.") from None


@contextmanager
def open_stream(path: Path, offset: int, *, compressed: bool) -> Iterator[ByteStream]:
    """The object from an offset (of what is unpacked) on; a symbolic link is no object."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as problem:
        raise CloudMLError("input-unreadable", "An input object cannot be read.", why=str(problem)) from None
    with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123
        if not compressed:
            file.seek(offset)
            yield file
            return
        with gzip.GzipFile(fileobj=file) as unpacking:
            stream = _Unpacked(unpacking)
            while offset:
                skipped = stream.read(min(READ, offset))
                if not skipped:
                    break
                offset -= len(skipped)
            yield stream


def exactly(stream: ByteStream, size: int) -> bytes:
    """So many bytes, or fewer at the end."""
    parts = []
    while size:
        part = stream.read(min(size, READ))
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
