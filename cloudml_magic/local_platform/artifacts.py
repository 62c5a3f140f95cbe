"""The files of a model in a bucket: found, found whole, and pinned, so that another model is noticed before it runs."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.local_platform.buckets.names import is_bucket_name, is_path
from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.model_folder import MANIFEST, SAVED_MODEL, check_files, check_operations, read_interface
from cloudml_magic.version import VERSION

_TEXT_MODEL = "saved_model.pbtxt"
_SINGLE = (SAVED_MODEL, _TEXT_MODEL, "fingerprint.pb", MANIFEST)
_FOLDERS = ("variables", "assets", "assets.extra")
_MOST_FILES = 10_000
_BASE_PATH = re.compile(r"--model_base_path=\$\(AIP_STORAGE_URI\)/?")
Pinned = dict[str, Any]
"""For each file of a SavedModel what the disk says of it, and its sha256."""


def artifact_folder(buckets: Path, uri: str) -> Path:
    """The folder that a `gs://` address means, in one of this platform's buckets; raises PlatformError."""
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    name = name.rstrip("/")
    if not uri.startswith("gs://") or not is_bucket_name(bucket) or (name and not is_path(str(buckets), name)):
        raise _refused(f"The artifact URI {uri[:200]!r} is no gs:// address of a folder.")
    folder = buckets / bucket
    for part in ("", *filter(None, name.split("/"))):
        folder = folder / part if part else folder
        if not _is_folder(folder):
            raise _refused(
                f"The local platform has no bucket {bucket}; it reads models from its own buckets only."
                if not part
                else f"There is no folder {uri[:300]}."
            )
    return folder


def model_uri(body: Mapping[str, Any], buckets: Path) -> str:
    """Where the files of a model are: its artifact, or as TensorFlow Serving has it the highest number in there."""
    uri: str = body["artifactUri"]
    if not any(_BASE_PATH.fullmatch(argument) for argument in body.get("containerSpec", {}).get("args", [])):
        return uri
    numbers = [entry.name for entry in artifact_folder(buckets, uri).iterdir() if entry.name.isdecimal()]
    if not numbers:
        raise _refused(f"TensorFlow Serving expects folders that are called 1, 2, … in {uri[:300]}.")
    return f"{uri.rstrip('/')}/{max(numbers, key=int)}"


def check_presence(folder: Path, uri: str) -> None:
    """Refuses a folder that holds no SavedModel, in Google's words."""
    if sum(_is_file(folder / name) for name in (SAVED_MODEL, _TEXT_MODEL)) != 1:
        raise PlatformError(
            400,
            f"Model directory {uri[:300]} is expected to contain exactly one of: [{SAVED_MODEL}, {_TEXT_MODEL}].",
            status="FAILED_PRECONDITION",
        )


def is_trusted(body: Mapping[str, Any]) -> bool:
    """Whether the user of a model gave their word for it."""
    return bool(body.get("labels", {}).get("cloudml-trusted") == "yes")


def check_contents(folder: Path, uri: str, *, trusted: bool = False) -> None:
    """Refuses a SavedModel that is not whole, that nothing can be asked of, or that does more than compute."""
    try:
        check_files(folder)
        if not trusted:
            check_operations(folder, uri)
        if _is_file(folder / SAVED_MODEL):
            interface = read_interface(lambda name: _content(folder / name), uri)
            if not interface.signatures:
                raise CloudMLError("no-signature", f"The model in {uri} has no signature.")
    except CloudMLError as problem:
        text = " ".join(part for part in (problem.what, problem.why, problem.next) if part)
        raise PlatformError(400, text.replace(str(folder), uri.rstrip("/")), status="FAILED_PRECONDITION") from None


def pin(folder: Path, uri: str) -> Pinned:
    """What the files are now."""
    files = {}
    for name in _files(folder, uri):
        before = _identity(folder / name)
        files[name] = [*before, _digest(folder / name)]
    return files


def check_pinned(folder: Path, pinned: Mapping[str, Any], title: str, uri: str) -> None:
    """Refuses files that are not those that were pinned; reads only those that the disk says were touched."""
    there = set(_files(folder, uri)) if _is_folder(folder) else set()
    for name in sorted(there | set(pinned)):
        expected = pinned.get(name)
        if expected is None:
            change = "was added"
        elif name not in there:
            change = "is gone"
        elif _identity(folder / name) == expected[:-1] or _digest(folder / name) == expected[-1]:
            continue
        else:
            change = "has changed"
        raise PlatformError(
            400,
            f"The model in {uri[:300]} is not the one that was uploaded as {title}: {name} {change}."
            " Upload it as a new version.",
            status="FAILED_PRECONDITION",
        )


def states_of_files(folder: Path, uri: str) -> dict[str, list[int]]:
    """What the disk says of each file; equal only if nobody has touched any of them in between."""
    return {name: _identity(folder / name) for name in _files(folder, uri)}


def digest_of(pinned: Mapping[str, Any]) -> str:
    """One name for all that was pinned."""
    text = "\n".join(f"{name} {pinned[name][-1]}" for name in sorted(pinned))
    return hashlib.sha256(text.encode()).hexdigest()


def engine_folder(engines: Path, pinned: Mapping[str, Any]) -> Path:
    """Where the fast engine of a model lies; another version of this package may convert and certify otherwise."""
    return engines / f"{VERSION}-{digest_of(pinned)}"


def remove_engines(engines: Path, pinned: Mapping[str, Any]) -> None:
    """Frees what any version of this package converted a model to."""
    for folder in engines.glob(f"*-{digest_of(pinned)}"):
        shutil.rmtree(folder, ignore_errors=True)


def _files(folder: Path, uri: str) -> Iterator[str]:
    found = [name for name in _SINGLE if os.path.lexists(folder / name)]
    for top in _FOLDERS:
        if (folder / top).is_symlink():
            found.append(top)
            continue
        for parent, folders, names in os.walk(folder / top):
            found += [str((Path(parent) / name).relative_to(folder)) for name in names]
            found += [
                str((Path(parent) / name).relative_to(folder)) for name in folders if (Path(parent) / name).is_symlink()
            ]
    if len(found) > _MOST_FILES:
        raise _refused(f"The model in {uri[:300]} has more than {_MOST_FILES} files.")
    for name in found:
        if not _is_file(folder / name):
            raise _refused(f"{name} in {uri[:300]} is no regular file; a model holds regular files only.")
    yield from found


def _identity(path: Path) -> list[int]:
    # A swapped file can keep its size and time, but not the time of its last change on the disk.
    found = path.stat(follow_symlinks=False)
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if _is_file(path) else None


def _is_file(path: Path) -> bool:
    return _mode(path, stat.S_ISREG)


def _is_folder(path: Path) -> bool:
    return _mode(path, stat.S_ISDIR)


def _mode(path: Path, holds: Any) -> bool:
    try:
        return bool(holds(path.lstat().st_mode))
    except OSError as problem:
        if problem.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP):
            return False
        raise


def _refused(message: str) -> PlatformError:
    return PlatformError(400, message, violations=[("model.artifact_uri", message)])
