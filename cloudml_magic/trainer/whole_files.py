"""Puts files into the job's folder whole or not at all; the folder may be on another disk, or a bucket's mount."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil


def put(folder: str, name: str, content: bytes) -> None:
    """Writes a file."""
    part = os.path.join(folder, name + ".part")
    try:
        os.makedirs(folder, exist_ok=True)
        with open(part, "wb") as file:
            file.write(content)
        os.replace(part, os.path.join(folder, name))
    except OSError:
        _remove(part)
        raise


def move(path: str, folder: str, name: str) -> None:
    """Moves a file there, under another name until it is whole."""
    target = os.path.join(folder, name)
    part = target + ".part"
    os.makedirs(os.path.dirname(target), exist_ok=True)
    try:
        shutil.move(path, part)
        os.replace(part, target)
    except BaseException:
        _remove(part)
        raise


def is_disk_full(problem: BaseException) -> bool:
    """Whether there was no room, as Python, Keras, HDF5 or TensorFlow say it."""
    if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    # Without room anywhere Python finds no temporary folder.
    return any(words in str(problem) for words in ("No space left on device", "No usable temporary directory"))


def _remove(part: str) -> None:
    """What was half written must not keep the disk full."""
    with contextlib.suppress(OSError):
        os.unlink(part)
