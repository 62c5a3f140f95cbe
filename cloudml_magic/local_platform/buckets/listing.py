"""Which objects a bucket holds: prefix, delimiter, offsets and paging over its files and the side store."""

from __future__ import annotations

import base64
import heapq
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass

from cloudml_magic.local_platform.buckets.index import StoredObject
from cloudml_magic.local_platform.buckets.names import is_path
from cloudml_magic.local_platform.buckets.store import BucketStore
from cloudml_magic.local_platform.errors import PlatformError

LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Selection:
    """What a list request asks for."""

    prefix: str = ""
    delimiter: str = ""
    start: str = ""
    end: str = ""
    trailing_delimiter: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One answer to a list request."""

    objects: tuple[StoredObject, ...]
    prefixes: tuple[str, ...]
    next_token: str | None


def list_objects(store: BucketStore, bucket: str, selection: Selection, token: str, limit: int) -> Page:
    """One page of a bucket, in the order of the names' UTF-8."""
    store.check_bucket(bucket)
    limit = LARGEST_PAGE if limit < 1 else min(limit, LARGEST_PAGE)
    after, skipped = _read_token(token)
    names: list[str] = []
    prefixes: list[str] = []
    last: tuple[str, str] | None = None
    for name in _names(store, bucket, selection):
        if name <= after or (skipped and name.startswith(skipped)):
            continue
        if prefixes and name.startswith(prefixes[-1]):
            continue
        cut = _cut(name, selection)
        if last is not None and len(names) + len(prefixes) >= limit:
            return _page(store, bucket, names, prefixes, _write_token(*last))
        if cut:
            prefixes.append(cut)
            last = (name, cut)
        if not cut or (selection.trailing_delimiter and name == cut):
            names.append(name)
            last = (name, cut)
    return _page(store, bucket, names, prefixes, None)


def _page(store: BucketStore, bucket: str, names: list[str], prefixes: list[str], token: str | None) -> Page:
    found = store.index.look(bucket, names)
    return Page(tuple(entry for entry in found if entry is not None), tuple(prefixes), token)


def _cut(name: str, selection: Selection) -> str:
    if not selection.delimiter:
        return ""
    position = name.find(selection.delimiter, len(selection.prefix))
    return "" if position < 0 else name[: position + len(selection.delimiter)]


def _names(store: BucketStore, bucket: str, selection: Selection) -> Iterator[str]:
    root = store.index.root(bucket)
    folder = selection.prefix.rpartition("/")[0]
    if folder and (not is_path(root, folder) or os.path.realpath(f"{root}/{folder}") != f"{root}/{folder}"):
        files: Iterator[str] = iter(())
    else:
        files = _files(root, folder, selection)
    sides = sorted(name for name in store.index.side_names(bucket) if name.startswith(selection.prefix))
    before = None
    for name in heapq.merge(files, sides):
        if name == before or name < selection.start or not name.startswith(selection.prefix):
            continue
        if selection.end and name >= selection.end:
            return
        before = name
        yield name


def _files(root: str, folder: str, selection: Selection) -> Iterator[str]:
    """Names of the files beneath a folder, sorted as names: a folder sorts as if its slash belonged to it."""
    lead = f"{folder}/" if folder else ""
    try:
        with os.scandir(f"{root}/{folder}" if folder else root) as entries:
            found = [
                (f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name)
                for entry in entries
                if entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False)
            ]
    except OSError:
        return
    for each in sorted(found):
        name = lead + each
        if not _is_name(name) or not (name.startswith(selection.prefix) or selection.prefix.startswith(name)):
            continue
        if not each.endswith("/"):
            yield name
        elif selection.delimiter == "/" and len(name) > len(selection.prefix) and not selection.start:
            # Everything in it becomes one prefix: the first file is enough to know that it is there.
            yield from _first(_files(root, name[:-1], selection))
        else:
            yield from _files(root, name[:-1], selection)


def _first(names: Iterator[str]) -> Iterator[str]:
    for name in names:
        yield name
        return


def _is_name(name: str) -> bool:
    try:
        return len(name.encode()) <= 1024 and "\n" not in name and "\r" not in name
    except UnicodeEncodeError:
        return False


def _write_token(name: str, prefix: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([name, prefix]).encode()).decode()


def _read_token(token: str) -> tuple[str, str]:
    if not token:
        return "", ""
    try:
        name, prefix = json.loads(base64.urlsafe_b64decode(token))
        return str(name), str(prefix)
    except (ValueError, TypeError):
        raise PlatformError(400, "Invalid page token.") from None
