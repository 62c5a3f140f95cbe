"""Looks into buckets: lists, adds up, reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cloudml_magic.pipeline.files.location import Location
from cloudml_magic.pipeline.files.sources import Found, in_bucket, nothing_found, sources_of
from cloudml_magic.pipeline.session import connection
from cloudml_magic.storage import Address, StoredObject
from cloudml_magic.storage.wildcards import has_wildcards

_MOST_LISTED = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a list: an address, and of an object what is known of it."""

    address: str
    stored: StoredObject | None = None


def listed(text: str | None = None, *, recursive: bool = False) -> Iterator[Line]:
    """What lies directly in a folder, or beneath it; what a pattern matches; without an address the buckets."""
    browser = connection().browser
    if text is None:
        for name, _ in browser.buckets():
            yield Line(f"gs://{name}/")
        return
    location = in_bucket(text)
    if recursive or has_wildcards(location.path):
        for bucket, found in _objects(text, recursive=True):
            yield Line(f"gs://{bucket}/{found.thing.name}", _stored(found))
        return
    if not location.is_folder and (stored := browser.find(location.address)):
        yield Line(str(location.address), stored)
        return
    yield from _level(text, location)


def sizes(text: str) -> Iterator[tuple[str, int]]:
    """How many bytes each folder directly beneath an address holds, and each object that lies there; adds up to all."""
    location = in_bucket(text)
    top, total = "", 0
    for bucket, found in _objects(text, recursive=True):
        head, separator, _ = found.beneath.partition("/")
        whole = f"gs://{bucket}/{found.thing.name}"
        address = whole if not separator else whole[: len(whole) - len(found.beneath)] + head + "/"
        if top and address != top:
            yield top, total
            total = 0
        top, total = address, total + found.size
    yield top or str(location), total


def read(text: str) -> Iterator[bytes]:
    """The content of an object, or of all that a pattern matches, piece by piece."""
    browser = connection().browser
    for bucket, found in _objects(text, recursive=False):
        yield from browser.chunks(Location(bucket, found.thing.name, False).address)


def completions(text: str, most: int = 100) -> list[str]:
    """The buckets, folders and objects whose addresses begin so."""
    browser = connection().browser
    bucket, separator, name = text.removeprefix("gs://").partition("/")
    if not separator:
        return [f"gs://{found}/" for found, _ in browser.buckets() if found.startswith(bucket)][:most]
    lead, _, begun = name.rpartition("/")
    lead = f"{lead}/" if lead else ""
    level = browser.matching(bucket, lead + begun, most)
    return [f"gs://{bucket}/{found}" for found in level]


def _level(text: str, location: Location) -> Iterator[Line]:
    browser, page, is_empty = connection().browser, None, True
    lead = f"{location.address}/"
    while True:
        level = browser.level(location.address, page, _MOST_LISTED)
        for folder in level.folders:
            yield Line(f"{lead}{folder}/")
        for stored in level.objects:
            yield Line(lead + stored.name, stored)
        is_empty = is_empty and not level.folders and not level.objects
        page = level.next_page
        if page is None:
            break
    # A folder that Google's console made has an object of its own, and may have nothing else.
    if is_empty and location.path and browser.find(Address(location.bucket, location.prefix)) is None:
        raise nothing_found(text)


def _objects(text: str, *, recursive: bool) -> Iterator[tuple[str, Found]]:
    in_bucket(text)
    for source in sources_of(text, lambda: connection().browser, recursive, lambda _: None):
        for found in source.found():
            yield source.location.bucket, found


def _stored(found: Found) -> StoredObject | None:
    return found.thing if isinstance(found.thing, StoredObject) else None
