"""Carries out what was planned: up, down or across, several at a time; what is there already is not sent."""

# Paths are text here, which pathlib would normalise.
# ruff: noqa: PTH103, PTH108, PTH116

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from cloudml_magic.connection import Connection
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.files.failures import Failures
from cloudml_magic.pipeline.files.location import Location, checked_object, checked_path
from cloudml_magic.pipeline.files.progress import Progress
from cloudml_magic.pipeline.files.sources import Found
from cloudml_magic.storage import Address, StoredObject
from cloudml_magic.storage.downloads import unwritable
from cloudml_magic.storage.local_files import LocalFile, file_at
from cloudml_magic.storage.parallel import WORKERS, in_parallel
from cloudml_magic.storage.standings import Standing, Standings, batched

OnProgress = Callable[[Progress], None]
_TOGETHER = 200


@dataclass(frozen=True, slots=True)
class Step:
    """One file or object, and the name that it gets at or beneath a place.

    `bucket` is where it comes from, `there` what stands where it goes; without it that is asked one by one.
    """

    found: Found
    bucket: str
    root: Location
    name: str
    there: Callable[[], Standings] | None = None

    @property
    def to(self) -> Location:
        return self.root.within(self.name) if self.name else self.root


Wanted = tuple[Step, Standing | None]


class Transfer:
    """One copy, move or synchronisation."""

    def __init__(self, there: Connection, on_progress: OnProgress | None, *, take_away: bool = False) -> None:
        self.progress = Progress()
        self.failures = Failures()
        self._there = there
        self._on_progress = on_progress
        self._take_away = take_away
        self._read: list[tuple[LocalFile, str]] = []

    def run(self, steps: Iterable[Step]) -> None:
        """Does every step; what concerns one of them is told when the others are done."""
        counted = self.progress.counted(steps, lambda step: step.found.size)
        self._tick()
        try:
            for (step, _), came in in_parallel(self._one, self._wanted(counted), WORKERS, self._tick):
                if isinstance(came, CloudMLError):
                    self.failures.add(came)
                elif came:
                    self.progress.done_files += 1
                else:
                    self.progress.is_as_it_was(step.found.size)
                if self.progress.done_files % _TOGETHER == 0:
                    self._tick()
                    self._note_read()
        finally:
            self._note_read()
            self.progress.is_stopped = True
            self._tick()
        self.failures.raise_if_any("moved" if self._take_away else "copied", self.progress.found_files)

    def _tick(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self.progress)

    def _note_read(self) -> None:
        """Remembers what was read, many files at a time: a commit takes as long as the sending of a small file."""
        read, self._read = self._read, []
        if read:
            self._there.uploader.known.note(read)

    def _wanted(self, steps: Iterator[Step]) -> Iterator[Wanted]:
        """Without what is there already, as far as that is known without reading it."""
        for some in batched(steps, _TOGETHER):
            files = [step.found.thing for step in some if isinstance(step.found.thing, LocalFile)]
            known = self._there.uploader.known.checksums(files) if files else {}
            for step, standing in _with_standings(some):
                thing = step.found.thing
                crc32c = known.get(thing.path) if isinstance(thing, LocalFile) else thing.crc32c
                if standing is None or self._take_away or not standing.holds(thing.size, crc32c):
                    yield step, standing
                else:
                    self.progress.is_as_it_was(thing.size)

    def _one(self, wanted: Wanted) -> bool:
        """False if it is there already."""
        step, standing = wanted
        thing = step.found.thing
        if isinstance(thing, LocalFile):
            is_new = self._up(step, thing, standing)
            if self._take_away:
                _remove(thing)
            return is_new
        if step.root.bucket:
            to = checked_object(step.to)
            if to == Address(step.bucket, thing.name):
                return False  # A move onto itself must not take it away.
            self._there.browser.copy(step.bucket, thing, to)
            self.progress.moved(thing.size)
            is_new = True
        else:
            is_new = self._down(step, thing)
        if self._take_away:
            self._there.browser.delete(step.bucket, thing)
        return is_new

    def _up(self, step: Step, file: LocalFile, standing: Standing | None) -> bool:
        uploader, address = self._there.uploader, checked_object(step.to)
        standing = uploader.standing(address) if standing is None else standing
        crc32c = uploader.send(file, address, standing, self.progress.moved)
        self._read.append((file, crc32c))
        return not standing.holds(file.size, crc32c)

    def _down(self, step: Step, stored: StoredObject) -> bool:
        path, uploader = checked_path(step.root.path, step.name), self._there.uploader
        if stored.name.endswith("/"):
            _make_folder(path)
            return False
        there = file_at(path)
        if there is not None and there.size == stored.size:
            known = uploader.known.checksums([there]).get(there.path) or uploader.checksum(there)
            if known == stored.crc32c:
                return False
        self._there.browser.fetch(step.bucket, stored, path, self.progress.moved)
        return True


def _with_standings(steps: list[Step]) -> Iterator[Wanted]:
    """Each step with what stands where it goes, as far as that was listed."""
    found: dict[str, Standing] = {}
    names = [step.to.path if step.there else "" for step in steps]
    for there in {id(step.there): step.there for step in steps}.values():
        if there is not None:
            some = [name for name, step in zip(names, steps, strict=True) if step.there is there and _is_text(name)]
            found.update(there().of(some))
    for name, step in zip(names, steps, strict=True):
        yield step, found.get(name, Standing()) if step.there else None


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _make_folder(path: str) -> None:
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as problem:
        raise unwritable(path, problem) from problem


def _remove(file: LocalFile) -> None:
    try:
        if not file.is_as_it_was(os.stat(file.path)):
            raise CloudMLError(
                "file-changed",
                f"{file.path} changed while it was moved.",
                why="What is stored is what it was before.",
                next="It was left where it is; move it again.",
            )
        os.unlink(file.path)
    except OSError as problem:
        raise unwritable(file.path, problem) from problem
