"""Unpacks packages of strangers: regular files and folders only, inside the folder, within limits, or not at all."""

from __future__ import annotations

import io
import posixpath
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

MOST_MEMBERS = 10_000
MOST_BYTES = 1 << 30
MOST_RATIO = 100
_SMALL = 1 << 20
_COPY = 1 << 20
_FOLDER_BITS, _FILE_BITS, _KIND_BITS = 0o040000, 0o100000, 0o170000

Member = tuple[str, bool, int, Callable[[], "io.BufferedIOBase | None"]]


class UnsafeArchiveError(Exception):
    """The archive holds what must not be unpacked; nothing was written."""


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks a .tar.gz, .tar, .zip or .whl into an existing folder."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                _unpack(list(_of_zip(opened)), archive.stat().st_size, folder)
        else:
            with tarfile.open(archive, mode="r:*") as opened_tar:
                _unpack(_limited(_of_tar(opened_tar), archive.stat().st_size), archive.stat().st_size, folder)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as problem:
        raise UnsafeArchiveError(f"{archive.name} is damaged: {problem}") from problem


def _limited(members: Iterator[Member], packed: int) -> list[Member]:
    """Stops reading as soon as a limit is passed: a bomb is not read to its end."""
    found: list[Member] = []
    total = 0
    for member in members:
        found.append(member)
        total += member[2]
        _check_size(len(found), total, packed)
    return found


def _check_size(members: int, total: int, packed: int) -> None:
    if members > MOST_MEMBERS:
        raise UnsafeArchiveError(f"It holds more than {MOST_MEMBERS:,} files.")
    if total > min(MOST_BYTES, MOST_RATIO * max(packed, _SMALL)):
        raise UnsafeArchiveError("Unpacked it would be too large for its size.")


def _unpack(members: list[Member], packed: int, folder: Path) -> None:
    seen: dict[str, bool] = {}
    total = 0
    for name, is_folder, size, _ in members:
        total += size
        _check_size(len(members), total, packed)
        _check_name(name)
        key = posixpath.normpath(name).casefold()
        if key in seen and not (is_folder and seen[key]):
            raise UnsafeArchiveError(f"It holds {name!r} twice.")
        seen[key] = is_folder
    for name in seen:
        parents = name.split("/")[:-1]
        for depth in range(1, len(parents) + 1):
            if seen.get("/".join(parents[:depth])) is False:
                raise UnsafeArchiveError(f"It holds {name!r} beneath a file.")
    for name, is_folder, size, open_member in members:
        target = folder / posixpath.normpath(name)
        if is_folder:
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        source = open_member()
        if source is not None:
            with source, target.open("xb") as file:
                _copy(source, file, size)


def _copy(source: io.BufferedIOBase, file: io.BufferedWriter, size: int) -> None:
    # The header's word on the size is what was checked; more than that is not written.
    while size > 0 and (chunk := source.read(min(size, _COPY))):
        file.write(chunk)
        size -= len(chunk)


def _check_name(name: str) -> None:
    parts = name.split("/")
    outside = name.startswith("/") or ".." in parts or "\\" in name or ":" in parts[0] or "\0" in name
    if outside or not name.strip("/."):
        if name.strip("/") in ("", "."):
            return
        raise UnsafeArchiveError(f"It holds {name!r}, which would land outside its folder.")
    if any(len(part.encode("utf-8", "surrogateescape")) > 255 for part in parts):
        raise UnsafeArchiveError(f"It holds a name that is too long: {name[:60]!r}…")


def _of_tar(archive: tarfile.TarFile) -> Iterator[Member]:
    for member in archive:
        if not (member.isreg() or member.isdir()) or member.issparse():
            raise UnsafeArchiveError(f"It holds {member.name!r}, which is neither a plain file nor a folder.")
        yield member.name, member.isdir(), member.size, lambda member=member: archive.extractfile(member)  # type: ignore[misc]


def _of_zip(archive: zipfile.ZipFile) -> Iterator[Member]:
    for member in archive.infolist():
        kind = (member.external_attr >> 16) & _KIND_BITS
        if kind not in (0, _FOLDER_BITS, _FILE_BITS) or member.flag_bits & 1:
            raise UnsafeArchiveError(f"It holds {member.filename!r}, which is neither a plain file nor a folder.")
        size = 0 if member.is_dir() else member.file_size
        yield member.filename, member.is_dir(), size, lambda member=member: archive.open(member)  # type: ignore[misc]
