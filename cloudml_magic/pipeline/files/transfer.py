"""Carries out what was planned: up, down or across, several at a time; what is there already is not sent."""

# Paths are text here, which pathlib would normalise.
# ruff: noqa: PTH103, PTH108, PTH116

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from cloudml_magic.connection import Connection
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.files.failures import Failures
from cloudml_magic.pipeline.files.location import Location, checked_object, checked_path
from cloudml_magic.pipeline.files.progress import Progress
from cloudml_magic.pipeline.files.sources import Found
from cloudml_magic.storage import StoredObject
from cloudml_magic.storage.downloads import unwritable
from cloudml_magic.storage.local_files import LocalFile, file_at
from cloudml_magic.storage.parallel import in_parallel
from cloudml_magic.storage.standings import Standing, Standings, batched

OnProgress = Callable[[Progress], None]
_WORKERS = 16
_TOGETHER = 200


@dataclass(frozen=True, slots=True)
class Step:
    """One file or object, and the name that it gets at or beneath a place.

    `bucket` is where it comes from, `standing` what stands where it goes: None where that is yet to be asked.
    """

    found: Found
    bucket: str
    root: Location
    name: str
    standing: Standing | None = None

    @property
    def to(self) -> Location:
        return self.root.within(self.name) if self.name else self.root


class Transfer:
    """One copy, move or synchronisation."""

    def __init__(self, there: Connection, on_progress: OnProgress | None, *, take_away: bool = False) -> None:
        self.progress = Progress()
        self.failures = Failures()
        self._there = there
        self._on_progress = on_progress
        self._take_away = take_away

    def run(self, steps: Iterable[Step]) -> None:
        """Does every step; what concerns one of them is told when the others are done."""
        counted = self.progress.counted(steps, lambda step: step.found.size)
        self._tick()
        try:
            for step, came in in_parallel(self._one, self._wanted(counted), _WORKERS, self._tick):
                if isinstance(came, CloudMLError):
                    self.failures.add(came)
                elif came:
                    self.progress.done_files += 1
                else:
                    self.progress.is_as_it_was(step.found.size)
                if self.progress.done_files % _TOGETHER == 0:
                    self._tick()
        finally:
            self.progress.is_stopped = True
            self._tick()
        self.failures.raise_if_any("moved" if self._take_away else "copied", self.progress.found_files)

    def _tick(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self.progress)

    def _wanted(self, steps: Iterator[Step]) -> Iterator[Step]:
        """Without what is there already, as far as that is known without reading it."""
        for some in batched(steps, _TOGETHER):
            files = [step.found.thing for step in some if isinstance(step.found.thing, LocalFile)]
            known = self._there.uploader.known.checksums(files) if files else {}
            for step in some:
                thing, standing = step.found.thing, step.standing
                is_there = (
                    standing is not None
                    and isinstance(thing, LocalFile)
                    and standing.holds(thing.size, known.get(thing.path))
                )
                if is_there and not self._take_away:
                    self.progress.is_as_it_was(thing.size)
                else:
                    yield step

    def _one(self, step: Step) -> bool:
        """False if it is there already."""
        thing = step.found.thing
        if isinstance(thing, LocalFile):
            is_new = self._up(step, thing)
            if self._take_away:
                _remove(thing)
            return is_new
        if step.root.bucket:
            self._there.browser.copy(step.bucket, thing, checked_object(step.to))
            self.progress.moved(thing.size)
            is_new = True
        else:
            is_new = self._down(step, thing)
        if self._take_away:
            self._there.browser.delete(step.bucket, thing)
        return is_new

    def _up(self, step: Step, file: LocalFile) -> bool:
        uploader, address = self._there.uploader, checked_object(step.to)
        standing = step.standing if step.standing is not None else uploader.standing(address)
        crc32c = uploader.send(file, address, standing, self.progress.moved)
        uploader.known.note([(file, crc32c)])
        return not standing.holds(file.size, crc32c)

    def _down(self, step: Step, stored: StoredObject) -> bool:
        path, uploader = checked_path(step.root.path, step.name), self._there.uploader
        if stored.name.endswith("/"):
            _make_folder(path)
            return False
        there = file_at(path)
        if there is not None and there.size == stored.size:
            known = uploader.known.checksums([there]).get(path) or uploader.checksum(there)
            if known == stored.crc32c:
                return False
        self._there.browser.fetch(step.bucket, stored, path, self.progress.moved)
        return True


def with_standings(steps: Iterable[Step], standings: Standings) -> Iterator[Step]:
    """The same steps, each with what stands where it goes."""
    for some in batched(steps, _TOGETHER):
        found = standings.of([step.to.path for step in some if _is_text(step.to.path)])
        for step in some:
            yield replace(step, standing=found.get(step.to.path, Standing()))


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
