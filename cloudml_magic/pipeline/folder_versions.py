"""A folder that changed goes up again only where it changed: the rest is copied from its last version in the bucket."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cloudml_magic.errors import CloudMLError
from cloudml_magic.storage import Address, ObjectStorage

_VERSIONS = "data/versions"
_AT_ONCE = 8


def copy_known(folder: Path, digests: Mapping[str, str], address: Address, storage: ObjectStorage) -> None:
    """Copies, inside the bucket, the files that the last version of this folder had as they are now."""
    content = storage.read(_note(folder, address))
    before, known = _read(content)
    if before is None or before == address or before.bucket != address.bucket:
        return
    same = {name for name, digest in digests.items() if known.get(name) == digest}
    if not same:
        return
    same &= set(storage.names(before))
    missing = sorted(same.difference(storage.names(address)))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(lambda name: storage.copy_folder(before, address, [name]), missing):
            pass


def remember(folder: Path, digests: Mapping[str, str], address: Address, storage: ObjectStorage) -> None:
    """Notes that this version of the folder is there, whole."""
    note = {"address": str(address), "files": dict(digests)}
    storage.write(_note(folder, address), json.dumps(note, sort_keys=True).encode())


def _note(folder: Path, address: Address) -> Address:
    """By the folder's place on this machine: folders of one name are not each other's versions."""
    place = hashlib.sha256(str(folder.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return Address(address.bucket) / _VERSIONS / f"{place}.json"


def _read(content: bytes | None) -> tuple[Address | None, Mapping[str, str]]:
    """What was noted; a note that is no such thing only costs time."""
    try:
        note = json.loads(content or b"{}")
        return Address.parse(note["address"]), dict(note["files"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, CloudMLError):
        return None, {}
