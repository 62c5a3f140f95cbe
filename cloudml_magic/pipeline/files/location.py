"""What is written on a line: a bucket's address or a path of this machine, and whether a folder is meant."""

# Paths are text here, which pathlib would normalise.
# ruff: noqa: PTH100, PTH111, PTH118, PTH119

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from cloudml_magic.errors import CloudMLError
from cloudml_magic.storage import Address

_LONGEST_NAME = 1024
_MOST_IN_A_PART = 255


@dataclass(frozen=True, slots=True)
class Location:
    """A place on either side; `bucket` is empty on this machine, `path` has no slash at its end."""

    bucket: str
    path: str
    is_folder: bool

    @classmethod
    def parse(cls, text: str) -> Location:
        if text.startswith("gs://"):
            address = Address.parse(text)
            return cls(address.bucket, address.name, not address.name or text.endswith("/"))
        if not text or "\0" in text:
            raise CloudMLError("bad-path", f"{text!r} is no path.", next="Name a file or folder, or gs://BUCKET/NAME.")
        path = os.path.expanduser(text)
        return cls("", path.rstrip("/") or "/", path.endswith("/") or os.path.basename(path) in (".", ".."))

    @property
    def address(self) -> Address:
        return Address(self.bucket, self.path)

    @property
    def prefix(self) -> str:
        """What the names of all objects in this folder begin with."""
        return f"{self.path}/" if self.path else ""

    @property
    def last_part(self) -> str:
        """What it is called within something else."""
        if self.bucket:
            return self.path.rpartition("/")[2] or self.bucket
        return os.path.basename(os.path.abspath(self.path))

    def within(self, name: str) -> Location:
        return Location(self.bucket, f"{self.path}/{name}" if self.path else name, False)

    def lies_in(self, other: Location) -> bool:
        """Whether this is a folder of a bucket within another one of it."""
        is_beneath = self.path != other.path and self.prefix.startswith(other.prefix)
        return bool(self.bucket) and self.bucket == other.bucket and is_beneath

    def __str__(self) -> str:
        return str(self.address) if self.bucket else self.path


def check_apart(source: Location, target: Location) -> None:
    """Refuses to copy a folder of a bucket into itself: a long list would come to the copies, and copy them too."""
    if target.lies_in(source):
        raise CloudMLError(
            "into-itself",
            f"{target} lies in {source}, which would be copied there.",
            why="A copy of a folder cannot be a part of it.",
            next="Copy it to a place outside, or name the folders in it that are meant.",
        )


def checked_object(location: Location) -> Address:
    """Where an object can be stored; raises for a name that Cloud Storage does not take."""
    name = location.path
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        raise _unfit(location, "It is not text in UTF-8.") from None
    if length > _LONGEST_NAME:
        raise _unfit(location, f"It has {length:,} bytes; {_LONGEST_NAME:,} is the most.")
    if "\n" in name or "\r" in name:
        raise _unfit(location, "It holds a line break.")
    if name in (".", ".."):
        raise _unfit(location, "It is only dots.")
    return location.address


def checked_path(folder: str, name: str) -> str:
    """The path of a name within a folder; raises for a name that leads out of it, or that is no path."""
    parts: Iterable[str] = name.rstrip("/").split("/") if name else ()
    path = os.path.join(folder, *parts) if name else folder
    if any(part in ("", ".", "..") or "\0" in part or len(os.fsencode(part)) > _MOST_IN_A_PART for part in parts):
        raise CloudMLError(
            "bad-file-name",
            f"The object {name!r} cannot be a file here.",
            why="Its name leads out of the folder, or is no path of this machine.",
            next="Copy it by its own name: `cp gs://BUCKET/NAME FILE`.",
        )
    return path


def _unfit(location: Location, why: str) -> CloudMLError:
    return CloudMLError(
        "bad-object-name",
        f"No object can have the name {location.path[:100]!r}.",
        why=why,
        next="Rename the file, or leave it out.",
    )
