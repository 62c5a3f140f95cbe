"""Who reads what: the input cut into as many consecutive shares as there are workers, and how many instances it has."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudml_magic.serving.batch.specification import InputObject, Specification
from cloudml_magic.serving.batch.whole_file import write_whole

SHARES = "shares.json"
_LINES = ("jsonl", "text", "csv", "file-list")
_STEP = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Range:
    """Consecutive instances of one object, from a byte to a byte (None: its end); `line` is that of the first."""

    address: str
    path: Path
    is_compressed: bool
    start: int
    end: int | None
    line: int


@dataclass(frozen=True, slots=True)
class Shares:
    """One list of ranges for each worker; `total` counts the instances, None where only reading them all would tell."""

    ranges: tuple[tuple[Range, ...], ...]
    total: int | None


def shares_of(specification: Specification) -> Shares:
    """The shares as they were cut when the job first began."""
    file = specification.state / SHARES
    if not file.exists():
        write_whole(file, json.dumps(_cut(specification)).encode())
    document = json.loads(file.read_bytes())
    found = [tuple(_range(specification, *each) for each in share) for share in document["shares"]]
    return Shares(tuple(found), document["total"])


def _range(specification: Specification, index: int, start: int, end: int | None, line: int) -> Range:
    one = specification.inputs[index]
    return Range(one.address, one.path, _is_compressed(specification, one), start, end, line)


def _is_compressed(specification: Specification, one: InputObject) -> bool:
    return specification.is_compressed or one.is_compressed


def _cut(specification: Specification) -> dict[str, Any]:
    size = sum(one.size for one in specification.inputs)
    most = max(1, -(-size // specification.workers))
    shares: list[list[Any]] = [[] for _ in range(specification.workers)]
    total: int | None = 0
    passed = 0
    for index, one in enumerate(specification.inputs):
        count, starts = _starts(specification, one, most, passed)
        total = None if total is None or count is None else total + count
        for (start, line), (end, _) in zip(starts, [*starts[1:], (None, 0)], strict=True):
            owner = min((passed + start) // most, specification.workers - 1)
            shares[owner].append([index, start, end, line])
        passed += one.size
    return {"shares": shares, "total": total}


def _starts(
    specification: Specification, one: InputObject, most: int, passed: int
) -> tuple[int | None, list[tuple[int, int]]]:
    """How many instances an object has, if that is known, and where it may be cut so that shares are alike in size."""
    whole = [(0, 1)]
    if _is_compressed(specification, one) or not one.size:
        return (0 if not one.size else None), whole
    wanted = [mark - passed for mark in range(most, most * specification.workers, most) if 0 < mark - passed < one.size]
    with one.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if specification.format not in _LINES:
            return _of_records(content, wanted)
        if specification.format == "csv" and content.find(b'"') >= 0:
            # Only reading it tells which ends of lines end a row.
            return None, whole
        return _of_lines(content, wanted, 1 if specification.format == "csv" else 0)


def _of_lines(content: mmap.mmap, wanted: list[int], header: int) -> tuple[int, list[tuple[int, int]]]:
    starts = [(0, 1)]
    for mark in wanted:
        end = content.find(b"\n", mark) + 1
        if 0 < end < len(content) and end > starts[-1][0]:
            offset, line = starts[-1]
            starts.append((end, line + _count(content, offset, end)))
    lines = starts[-1][1] - 1 + _count(content, starts[-1][0], len(content)) + (content[-1:] != b"\n")
    return max(0, lines - header), starts


def _count(content: mmap.mmap, start: int, end: int) -> int:
    return sum(content[at : min(at + _STEP, end)].count(b"\n") for at in range(start, end, _STEP))


def _of_records(content: mmap.mmap, wanted: list[int]) -> tuple[int | None, list[tuple[int, int]]]:
    from cloudml_magic.serving.batch.formats.tf_records import record_size
    from cloudml_magic.serving.batch.streams import BrokenInputError

    starts, offset, count = [(0, 1)], 0, 0
    marks: Iterator[int] = iter(wanted)
    mark = next(marks, None)
    while offset < len(content):
        try:
            size = record_size(content[offset : offset + 12])
        except BrokenInputError:
            return None, starts
        if mark is not None and offset >= mark:
            starts.append((offset, count + 1))
            while mark is not None and offset >= mark:
                mark = next(marks, None)
        offset, count = offset + size + 16, count + 1
    return count, starts
