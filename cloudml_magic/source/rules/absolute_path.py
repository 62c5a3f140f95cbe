"""A path that exists only on this machine: absolute, or in the home folder."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from cloudml_magic.records import Cell
from cloudml_magic.source.rules.data_file import opened_paths
from cloudml_magic.source.rules.refusal import Refusal, place
from cloudml_magic.source.rules.trip import Trip, line_of

_HOME = re.compile(r"(?:~[\w.-]*/|/(?:home|Users|root|content|kaggle|mnt|media|Volumes)/\S|[A-Za-z]:[\\/](?![\\/]))")
_EVERYWHERE = ("/gcs/", "/tmp/", "/dev/", "/proc/", "/sys/", "/var/tmp/")


def is_local(path: str) -> bool:
    """Whether a path leads to a place that a job's machine has not."""
    if path.startswith(_EVERYWHERE):
        return False
    home = str(Path.home())
    return path.startswith(("/", "~")) or bool(_HOME.match(path)) or (len(home) > 1 and path.startswith(home + "/"))


def refusals(trip: Trip) -> Iterator[Refusal]:
    """Absolute paths that known readers open, and home paths wherever they are spelled out."""
    seen: set[tuple[int, str]] = set()
    for step, line, path in opened_paths(trip):
        if is_local(path):
            seen.add((id(step.statement), path))
            yield _refusal(step.cell, line, path)
    home = str(Path.home())
    for one in trip.chosen:
        for node in ast.walk(one.step.statement.node):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or len(node.value) > 1000:
                continue
            path = node.value
            if "\n" in path or path.startswith(_EVERYWHERE) or (id(one.step.statement), path) in seen:
                continue
            if _HOME.match(path) or (len(home) > 4 and path.startswith(home + "/")):
                seen.add((id(one.step.statement), path))
                yield _refusal(one.step.cell, line_of(one.step, node), path)


def _refusal(cell: Cell, line: int, path: str) -> Refusal:
    name = re.split(r"[\\/]", path.rstrip("\\/"))[-1] or "data"
    return Refusal(
        "absolute-path", f"{place(cell, line)} names {path}, which only this machine has.",
        "A job finds its files under relative paths.",
        f'Add --data {name}={path} and write "{name}" in the code.', cell, line,
    )  # fmt: skip
