"""What is meant by a file, a folder, an address or a pattern: found one by one, never all held at once."""

# Paths are text here, which pathlib would normalise.
# ruff: noqa: PTH112, PTH113, PTH207

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.files.location import Location
from cloudml_magic.storage import BucketBrowser, StoredObject
from cloudml_magic.storage.local_files import LocalFile, file_at, files_beneath
from cloudml_magic.storage.wildcards import Wildcards, has_wildcards

LeftOut = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Found:
    """A file of this machine, or an object of a bucket; `name` begins with the last part of what was asked for."""

    name: str
    thing: LocalFile | StoredObject

    @property
    def size(self) -> int:
        return self.thing.size

    @property
    def beneath(self) -> str:
        """Its name within the folder that was asked for; empty for what was asked for itself."""
        return self.name.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Source:
    """One thing that was asked for, and what is found for it."""

    location: Location
    is_folder: bool
    found: Callable[[], Iterator[Found]]
    is_matched: bool = False


def sources_of(text: str, browser: Callable[[], BucketBrowser], recursive: bool, left_out: LeftOut) -> list[Source]:
    """What a text asks for: what has exactly this name, or everything that its wildcards match."""
    location = Location.parse(text)
    if location.bucket:
        return _in_bucket(text, location, browser(), recursive)
    if not os.path.lexists(location.path) and has_wildcards(text):
        matches = glob.glob(location.path, recursive=True, include_hidden="/." in text)
        locations = [Location.parse(match) for match in sorted(matches)]
        if "**" in text:
            locations = [each for each in locations if os.path.isfile(each.path)]
    else:
        locations = [location]
    found = [source for each in locations if (source := _local(each, left_out)) is not None]
    if not found:
        raise nothing_found(text)
    return found if recursive else _files_of(text, found, left_out)


def in_bucket(text: str) -> Location:
    """An address in a bucket; raises for a path of this machine."""
    location = Location.parse(text)
    if not location.bucket:
        raise CloudMLError("bad-address", f"{text!r} is no bucket address.", next="Write it as gs://BUCKET/NAME.")
    return location


def nothing_found(text: str) -> CloudMLError:
    """Neither a file nor an object is meant."""
    where = "`%ml_storage ls` shows what there is." if text.startswith("gs://") else "Look at its spelling."
    return CloudMLError("nothing-found", f"There is no {text}.", next=where)


def _files_of(text: str, sources: list[Source], left_out: LeftOut) -> list[Source]:
    """Without the folders, which nobody asked for."""
    files = [source for source in sources if not source.is_folder]
    if not files:
        raise _is_folder(text)
    for _ in range(len(sources) - len(files)):
        left_out("folder")
    return files


def _local(location: Location, left_out: LeftOut) -> Source | None:
    file = file_at(location.path)
    if file is not None:
        return Source(location, False, lambda: iter([Found(location.last_part, file)]))
    if not os.path.isdir(location.path):
        return None
    top = location.last_part
    return Source(
        location,
        True,
        lambda: (Found(f"{top}/{file.name}", file) for file in files_beneath(location.path, left_out)),
    )


def _in_bucket(text: str, location: Location, browser: BucketBrowser, recursive: bool) -> list[Source]:
    if not location.is_folder and (stored := browser.find(location.address)):
        return [Source(location, False, lambda: iter([Found(location.last_part, stored)]))]
    if has_wildcards(location.path):
        return _matched(text, location, browser, recursive)
    prefix = location.prefix
    # An empty bucket is a folder with nothing in it; no other folder is empty.
    if location.path and next(iter(browser.beneath(location.bucket, prefix)), None) is None:
        raise nothing_found(text)
    if not recursive:
        raise _is_folder(text)
    return [Source(location, True, lambda: _beneath(browser, location, prefix))]


def _beneath(browser: BucketBrowser, location: Location, prefix: str) -> Iterator[Found]:
    top = location.last_part
    for stored in browser.beneath(location.bucket, prefix):
        if stored.name != prefix:
            yield Found(f"{top}/{stored.name[len(prefix) :]}", stored)


def _matched(text: str, location: Location, browser: BucketBrowser, recursive: bool) -> list[Source]:
    wildcards = Wildcards(location.path)
    expression = wildcards.expression()

    def found() -> Iterator[Found]:
        any_folder = False
        is_empty = True
        for stored in browser.beneath(location.bucket, wildcards.beginning):
            match = expression.match(stored.name)
            if match is None:
                continue
            if len(match[1]) < len(stored.name) and not recursive:
                any_folder = True
                continue
            is_empty = False
            yield Found(match[1].rpartition("/")[2] + stored.name[len(match[1]) :], stored)
        if is_empty:
            raise _is_folder(text) if any_folder else nothing_found(text)

    return [Source(location, True, found, is_matched=True)]


def _is_folder(text: str) -> CloudMLError:
    return CloudMLError("is-a-folder", f"{text} is a folder.", next="Say -r to take everything in it.")
