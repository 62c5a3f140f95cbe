"""Puts the job's data under the relative paths at which the code looks for it: read in place, or staged here first."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from .job_folder import mounted

# A copy keeps code that writes to its own input from changing what other jobs read; beyond this it costs too much.
COPIED_BYTES = 64 << 20
# Through a bucket's mount each file is a request: they are asked for side by side.
_AT_ONCE = 16


def place_data(data: Mapping[str, str], stage: bool = False) -> None:
    """Brings each file or folder into the working directory.

    A folder becomes a folder of links, so that what the code writes beside its data stays its own; with `stage` its
    files are copied. A single file is copied unless it is large.
    """
    for relative, address in data.items():
        source = mounted(address).rstrip("/")
        target = os.path.normpath(relative)
        if os.path.isabs(target) or target.split(os.sep)[0] == "..":
            raise ValueError(f"The data path {relative!r} leaves the working directory.")
        if not os.path.exists(source):
            raise FileNotFoundError(f"The data of {relative!r} is not at {address}.")
        if os.path.lexists(target):
            continue
        os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
        if stage:
            _stage(source, target)
        elif os.path.isdir(source):
            _link_folder(source, target)
        elif os.path.getsize(source) > COPIED_BYTES:
            os.symlink(os.path.realpath(source), target)
        else:
            shutil.copyfile(source, target)


def _stage(source: str, target: str) -> None:
    """Copies to the disk of this machine, and says how much that was."""
    began = time.monotonic()
    files = list(_files(source, target)) if os.path.isdir(source) else [(source, target)]
    size = sum(os.path.getsize(file) for file, _ in files)
    free = shutil.disk_usage(os.path.dirname(target) or ".").free
    if size > free:
        raise OSError(
            f"{target} has {_megabytes(size)}, and the disk of this machine has {_megabytes(free)} left."
            " Read it in place, without --stage, or ask for another machine."
        )
    os.makedirs(target if os.path.isdir(source) else ".", exist_ok=True)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(lambda pair: shutil.copyfile(*pair), files):
            pass
    count = "1 file" if len(files) == 1 else f"{len(files):,} files"
    print(f"Staged {target}: {count}, {_megabytes(size)} in {time.monotonic() - began:.1f} s.")


def _link_folder(source: str, target: str) -> None:
    os.makedirs(target)
    for file, link in _files(os.path.realpath(source), target):
        try:
            # A second name of the file itself is read as fast as the first; a mount has none to give.
            os.link(file, link)
        except OSError:
            os.symlink(file, link)


def _files(source: str, target: str) -> Iterator[tuple[str, str]]:
    """Each file beneath a folder with its place beneath another, whose folders are made on the way."""
    for folder, names, files in os.walk(source):
        within = os.path.normpath(os.path.join(target, os.path.relpath(folder, source)))
        for name in names:
            os.makedirs(os.path.join(within, name), exist_ok=True)
        for name in files:
            yield os.path.join(folder, name), os.path.join(within, name)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
