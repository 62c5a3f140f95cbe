"""Which names buckets and objects may have, and where in a folder an object's name points.

A name that is a path points at exactly that path beneath the bucket's folder and nowhere else; no symbolic link is
followed on the way, so that nothing in a bucket leads out of it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from enum import Enum
from functools import lru_cache

from cloudml_magic.local_platform.errors import PlatformError

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_LONGEST_PATH = 3900
_NO_PARTS = frozenset({"", ".", ".."})


class Standing(Enum):
    """What stands at the path of a name."""

    FILE = "a regular file"
    FREE = "nothing, so that a file may be written there"
    BLOCKED = "something else, so that the name needs the side store"


def is_bucket_name(name: str) -> bool:
    """Whether Cloud Storage would take the name for a bucket."""
    return bool(_BUCKET.fullmatch(name)) and all(0 < len(part) <= 63 for part in name.split("."))


def check_bucket_name(name: str) -> str:
    """The name, if Cloud Storage would take it; raises PlatformError."""
    if not is_bucket_name(name):
        raise PlatformError(400, f"Invalid bucket name: '{name[:100]}'")
    return name


def check_object_name(name: str) -> str:
    """The name, if Cloud Storage would take it; raises PlatformError."""
    try:
        length = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        raise PlatformError(400, "The object name is not valid Unicode.") from None
    if not name:
        raise PlatformError(400, "Required parameter: name", reason="required")
    if length > 1024:
        raise PlatformError(
            400, f"The maximum object length is 1024 characters, but got a name with {length} characters."
        )
    if name in (".", ".."):
        raise PlatformError(400, f"Objects cannot be named {name!r}.")
    if "\r" in name or "\n" in name:
        raise PlatformError(400, "Disallowed unicode characters present in object name.")
    return name


def is_path(root: str, name: str) -> bool:
    """Whether a name can stand as a path beneath the folder at all."""
    length = len(name.encode())
    if "\0" in name or _bytes_of(root) + length > _LONGEST_PATH:
        return False
    parts = name.split("/")
    return not _NO_PARTS.intersection(parts) and (length <= 255 or all(len(part.encode()) <= 255 for part in parts))


@lru_cache(maxsize=256)
def _bytes_of(root: str) -> int:
    return len(os.fsencode(root))


def side_name(name: str) -> str:
    """The file name under which the side store keeps an object."""
    return hashlib.sha256(name.encode()).hexdigest()


def standing(root: str, name: str, seen: set[str] | None = None) -> tuple[Standing, os.stat_result | None]:
    """What stands at the name's path, found without following any link, and its stat if it is a file.

    `seen` is for many names looked at in one go: paths that are folders, each looked at once.
    """
    if not is_path(root, name):
        return Standing.BLOCKED, None
    lead, _, _ = name.rpartition("/")
    try:
        if lead and (seen is None or f"{root}/{lead}" not in seen):
            current = root
            for folder in lead.split("/"):
                current = f"{current}/{folder}"
                if not stat.S_ISDIR(os.lstat(current).st_mode):
                    return Standing.BLOCKED, None
            if seen is not None:
                seen.add(current)
        found = os.lstat(f"{root}/{name}")
    except OSError as problem:
        if problem.errno == errno.ENOENT:
            return Standing.FREE, None
        if problem.errno in (errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP):
            return Standing.BLOCKED, None
        raise
    return (Standing.FILE, found) if stat.S_ISREG(found.st_mode) else (Standing.BLOCKED, None)
