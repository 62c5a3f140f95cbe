"""The files of a folder of this machine, as they are met: a folder of a million is never held as a whole."""

# Paths are text here, which pathlib would normalise.
# ruff: noqa: PTH100, PTH116, PTH118, PTH119

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cloudml_magic.errors import CloudMLError


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file, its name within what was asked for, and by what a change of it shows."""

    path: str
    name: str
    size: int
    changed: tuple[int, int, int]

    @classmethod
    def of(cls, path: str, name: str, found: os.stat_result) -> LocalFile:
        return cls(path, name, found.st_size, (found.st_mtime_ns, found.st_ctime_ns, found.st_ino))

    def is_as_it_was(self, found: os.stat_result) -> bool:
        return self == LocalFile.of(self.path, self.name, found)


def file_at(path: str) -> LocalFile | None:
    """The file of a path, or None where there is no regular file."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return LocalFile.of(os.path.abspath(path), os.path.basename(path), found) if stat.S_ISREG(found.st_mode) else None


def files_beneath(folder: str, left_out: Callable[[str], None]) -> Iterator[LocalFile]:
    """Every file of a folder, at any depth, by its whole path.

    Links to files are files; links to folders, which may lead in a circle, and whatever is no file at all are left out,
    and told of in words that can be counted.
    """
    folder, waiting = os.path.abspath(folder), [""]
    while waiting:
        lead = waiting.pop()
        is_empty = True
        try:
            with os.scandir(os.path.join(folder, lead)) as entries:
                for entry in entries:
                    is_empty = False
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(f"{lead}{entry.name}/")
                    elif entry.is_file():
                        yield LocalFile.of(entry.path, lead + entry.name, entry.stat())
                    else:
                        left_out(_kind(entry))
        except OSError as problem:
            raise CloudMLError(
                "folder-unreadable",
                f"The folder {os.path.join(folder, lead)} cannot be read.",
                why=problem.strerror or str(problem),
                next="Make it readable, or name the folders that are meant one by one.",
            ) from problem
        if is_empty and lead:
            left_out("empty folder")


def _kind(entry: os.DirEntry[str]) -> str:
    if not entry.is_symlink():
        return "special file"
    return "link to a folder" if entry.is_dir() else "link to nothing"
