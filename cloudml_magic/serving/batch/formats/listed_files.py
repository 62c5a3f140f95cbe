"""Lists of objects: a line names one, whose content is the instance."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import orjson

from cloudml_magic.serving.batch.formats.reader import blocks, place_after
from cloudml_magic.serving.batch.pieces import Piece, Place, Refused, shown
from cloudml_magic.serving.batch.shares import Range

_LARGEST = 100 * 1024 * 1024
_MOST_BYTES = 64 * 1024 * 1024
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")


class _UnreadableError(Exception):
    """An object that cannot be read."""


class ListedFiles:
    """Reads `file-list`; only what lies in the platform's own buckets."""

    def __init__(self, rows: int, buckets: Path) -> None:
        self._rows = rows
        self._buckets = buckets

    def pieces(self, part: Range, place: Place) -> Iterator[Piece]:
        for block in blocks(part, place, self._rows):
            piece = Piece(part.address, [], [], [], place_after(block, place), list(block.too_long), block.broken)
            held = 0
            offset = block.offset - sum(map(len, block.lines)) - len(block.lines)
            for number, raw in enumerate(block.lines, block.line):
                offset += len(raw) + 1
                if not raw.strip():
                    continue
                try:
                    content = _content(self._buckets, raw.strip())
                except _UnreadableError as problem:
                    piece.refused.append(Refused(number, shown(raw.strip()), str(problem)))
                    continue
                piece.lines.append(number)
                piece.texts.append(orjson.dumps(raw.strip().decode()))
                piece.values.append(content)
                held += len(content)
                if held >= _MOST_BYTES:
                    ended, piece.after = piece, Place(place.range, offset, number + 1)
                    piece = Piece(part.address, [], [], [], place_after(block, place), [], block.broken)
                    ended.broken, held = "", 0
                    yield ended
            yield piece


def _content(buckets: Path, raw: bytes) -> bytes:
    try:
        address = raw.decode()
    except UnicodeDecodeError:
        raise _UnreadableError("The line is not UTF-8.") from None
    bucket, _, name = address.removeprefix("gs://").partition("/")
    parts = name.split("/")
    if not address.startswith("gs://") or not name or "\0" in address:
        raise _UnreadableError("The line is no address of an object: gs://BUCKET/NAME.")
    if not _BUCKET.fullmatch(bucket) or not (buckets / bucket).is_dir() or (buckets / bucket).is_symlink():
        raise _UnreadableError(f"There is no bucket {bucket[:80]} here; objects are read from this platform's buckets.")
    if any(part in ("", ".", "..") for part in parts):
        raise _UnreadableError("There is no such object.")
    return _read(buckets / bucket, parts)


def _read(folder: Path, parts: list[str]) -> bytes:
    """The content of a regular file; no link on the way is followed, so that none leads out of the bucket."""
    *folders, last = parts
    held = [os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)]
    try:
        for each in folders:
            held.append(os.open(each, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=held[-1]))
        held.append(os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=held[-1]))
        found = os.fstat(held[-1])
        if not stat.S_ISREG(found.st_mode):
            raise _UnreadableError("There is no such object.")
        if found.st_size > _LARGEST:
            raise _UnreadableError(f"The object has {found.st_size:,} bytes; at most {_LARGEST:,} are read.")
        with open(held.pop(), "rb", buffering=0) as file:  # noqa: PTH123
            return file.read()
    except OSError:
        raise _UnreadableError("There is no such object, or it cannot be read.") from None
    finally:
        for descriptor in held:
            os.close(descriptor)
