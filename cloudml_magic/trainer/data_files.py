"""Puts the job's data files under the relative paths at which the code looks for them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from .job_folder import mounted

# A copy keeps code that writes to its own input from changing what other jobs read; beyond this it costs too much.
COPIED_BYTES = 1 << 30


def place_data(data: Mapping[str, str]) -> None:
    """Copies (or, where large, links) each file or folder into the working directory."""
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
        if _size(source) > COPIED_BYTES:
            os.symlink(os.path.realpath(source), target)
        elif os.path.isdir(source):
            shutil.copytree(source, target, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(source, target)


def _size(source: str) -> int:
    if not os.path.isdir(source):
        return os.path.getsize(source)
    total = 0
    for folder, _, files in os.walk(source):
        total += sum(os.path.getsize(os.path.join(folder, name)) for name in files)
        if total > COPIED_BYTES:
            break
    return total
