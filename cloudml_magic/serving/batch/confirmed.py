"""What of a share is certainly written: where to go on in the input, and how long both outputs are by then."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from cloudml_magic.serving.batch.pieces import Place
from cloudml_magic.serving.batch.shares import Range
from cloudml_magic.serving.batch.specification import ERRORS, RESULTS, Specification
from cloudml_magic.serving.batch.whole_file import write_whole

MOST_PARTIAL = 20


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The state of one share on the disk."""

    place: Place
    results: int = 0
    errors: int = 0
    succeeded: int = 0
    failed: int = 0
    finished: bool = False
    first_error: str = ""
    partial: tuple[str, ...] = field(default=())

    @property
    def done(self) -> int:
        """How many instances are through, with or without a prediction."""
        return self.succeeded + self.failed


def read_confirmed(specification: Specification, share: int) -> Confirmed | None:
    """What was confirmed last; None where nothing was, or what was is no longer there."""
    try:
        document = json.loads(_file(specification, share).read_bytes())
    except FileNotFoundError:
        return None
    place, partial = Place(**document.pop("place")), tuple(document.pop("partial"))
    found = Confirmed(place, partial=partial, **document)
    lengths = {RESULTS: found.results, ERRORS: found.errors}
    is_there = all(_holds(specification, name, share, found, length) for name, length in lengths.items())
    return found if is_there else None


def _holds(specification: Specification, name: str, share: int, found: Confirmed, length: int) -> bool:
    part = part_file(specification, name, share)
    if part.is_file():
        return part.stat().st_size >= length
    # It has its final name already.
    return found.finished and (specification.output / name).is_file()


def beginning(ranges: Sequence[Range]) -> Place:
    """Where a share begins."""
    return Place(0, ranges[0].start, ranges[0].line) if ranges else Place(0, 0, 1)


def confirm(specification: Specification, share: int, confirmed: Confirmed) -> None:
    """Writes it down, whole or not at all."""
    write_whole(_file(specification, share), json.dumps(asdict(confirmed)).encode())


def part_file(specification: Specification, name: str, share: int) -> Path:
    """Where a share writes one of the outputs until all are done."""
    return specification.output / f"{name}.{specification.tag}{share}.part"


def _file(specification: Specification, share: int) -> Path:
    return specification.state / f"confirmed-{share}.json"


class Output:
    """Both outputs of one share, written in order; confirmed at most so often that it costs nothing."""

    def __init__(self, specification: Specification, share: int, start: Confirmed) -> None:
        self._specification = specification
        self._share = share
        self.confirmed = self.written = start
        specification.output.mkdir(parents=True, exist_ok=True)
        self._results = self._open(RESULTS, start.results)
        self._errors = self._open(ERRORS, start.errors)

    def _open(self, name: str, length: int) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(part_file(self._specification, name, self._share), flags, 0o600)
        # What lies beyond was written but never confirmed, and will be written again.
        os.ftruncate(descriptor, length)
        return descriptor

    def write(self, results: bytes, errors: bytes, after: Confirmed) -> None:
        """Appends a piece; `after` counts it, but for its bytes."""
        _write_all(self._results, results)
        _write_all(self._errors, errors)
        before = self.written
        self.written = replace(after, results=before.results + len(results), errors=before.errors + len(errors))

    def confirm(self, *, finished: bool = False) -> None:
        """From here on the process may die."""
        for descriptor in (self._results, self._errors):
            os.fsync(descriptor)
        self.written = replace(self.written, finished=finished)
        confirm(self._specification, self._share, self.written)
        self.confirmed = self.written

    def close(self) -> None:
        for descriptor in (self._results, self._errors):
            os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
