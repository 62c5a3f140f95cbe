"""The objects that the addresses of a batch prediction name, wildcards included."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from cloudml_magic.local_platform.buckets.names import Standing, is_bucket_name, standing
from cloudml_magic.local_platform.errors import PlatformError

_WILD = re.compile(r"[*?[]")
_MOST_OBJECTS = 100_000


def input_objects(buckets: Path, uris: Sequence[str]) -> dict[str, Path]:
    """Address → file, in the order of the objects' names; an address that names none is refused."""
    found: dict[str, Path] = {}
    for uri in uris:
        bucket, name = in_our_buckets(buckets, uri, "input")
        name += "*" if name.endswith("/") or not name else ""
        names = _matching(buckets / bucket, name) if _WILD.search(name) else [name]
        for each in names:
            if standing(str(buckets / bucket), each)[0] is Standing.FILE:
                found[f"gs://{bucket}/{each}"] = buckets / bucket / each
        if not any(f"gs://{bucket}/{each}" in found for each in names):
            raise PlatformError(400, f"There is no object {uri[:300]}.", violations=[("input_config.gcs_source", uri)])
        if len(found) > _MOST_OBJECTS:
            raise PlatformError(400, f"The input has more than {_MOST_OBJECTS:,} objects. Name a list of them instead.")
    return dict(sorted(found.items()))


def in_our_buckets(buckets: Path, uri: str, what: str) -> tuple[str, str]:
    """Bucket and name of an address; only buckets of this platform are known here."""
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    plain = name.rstrip("/")
    if not uri.startswith("gs://") or "\0" in uri or any(part in ("", ".", "..") for part in plain.split("/") if plain):
        raise PlatformError(400, f"The {what} {uri[:200]!r} is no gs:// address.")
    if not is_bucket_name(bucket) or not (buckets / bucket).is_dir() or (buckets / bucket).is_symlink():
        raise PlatformError(
            400, f"The local platform has no bucket {bucket[:80]}; it reads and writes its own buckets only."
        )
    return bucket, name


def _matching(folder: Path, pattern: str) -> list[str]:
    """`*` and `?` stay within a part of the name, `**` does not."""
    start = pattern[: _WILD.search(pattern).start()].rpartition("/")[0]  # type: ignore[union-attr]
    expression = re.compile(_expression(pattern))
    found = []
    for parent, _, files in os.walk(folder / start):
        inner = os.path.relpath(parent, folder)
        prefix = "" if inner == "." else f"{inner}/"
        found += [prefix + file for file in files if expression.fullmatch(prefix + file)]
        if len(found) > _MOST_OBJECTS:
            break
    return sorted(found)


def _expression(pattern: str) -> str:
    signs = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*|\*|\?|\[!?[^\]/]+\])", pattern)
    return "".join(
        signs.get(part)
        or (part.replace("[!", "[^") if part.startswith("[") and part.endswith("]") else re.escape(part))
        for part in parts
    )
