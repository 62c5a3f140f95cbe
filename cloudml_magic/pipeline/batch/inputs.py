"""From what a user wants predicted (gs://, files, pictures, values) to objects of a bucket in one of four formats."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudml_magic.connection import Connection
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.data import Upload
from cloudml_magic.pipeline.prediction.given import Given, given
from cloudml_magic.pipeline.prediction.predicting import content_of, files_of
from cloudml_magic.pipeline.prediction.requests import LARGEST_PICTURE, instances_as_json
from cloudml_magic.records import ModelInterface
from cloudml_magic.storage import Address

FORMATS = ("jsonl", "csv", "tfrecord", "files")
_SUFFIXES = {
    ".jsonl": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tfrecord": "tfrecord",
    ".tfrecords": "tfrecord",
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".gif", ".bmp"), "files"),
}
_WILD = "*?["


@dataclass(frozen=True, slots=True)
class BatchInput:
    """Where the instances lie, in which format, and what has to go up first."""

    format: str
    uris: tuple[str, ...]
    uploads: tuple[Upload, ...] = ()


def batch_input(what: Any, format: str | None, interface: ModelInterface, there: Connection) -> BatchInput:
    """Texts and paths name files; everything else is a value, as `%%ml_predict` takes it."""
    bucket = there.place.bucket
    if format is not None and format not in FORMATS:
        raise CloudMLError(
            "bad-format", f"There is no format {format!r}.", next=f"The formats are: {', '.join(FORMATS)}."
        )
    if isinstance(what, str | Path):
        return _of_words([str(what)], format, bucket)
    if isinstance(what, list) and what and all(isinstance(item, str | Path) for item in what) and interface.picture:
        return _of_words([str(item) for item in what], format, bucket)
    return _of_value(given(what, interface, lambda where: content_of(where, there), LARGEST_PICTURE), bucket)


def _of_words(words: Sequence[str], format: str | None, bucket: Address) -> BatchInput:
    kind = format or _format_of(words[0])
    if kind == "files":
        return _of_pictures(files_of([_spread(word) for word in words]), bucket)
    if all(word.startswith("gs://") for word in words):
        for word in words:
            Address.parse(word)
        return BatchInput(kind, tuple(words))
    uploads = []
    for name in files_of(words):
        path = Path(name)
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        uploads.append(Upload(bucket / "data" / digest / path.name, path.stat().st_size, file=path))
    return BatchInput(kind, tuple(str(upload.address) for upload in uploads), tuple(uploads))


def _of_pictures(names: Sequence[str], bucket: Address) -> BatchInput:
    """Pictures are named in a list, one address a line; those of this machine go up under their content's name."""
    uploads: dict[str, Upload] = {}
    addresses = []
    for name in names:
        if name.startswith("gs://"):
            addresses.append(name)
            continue
        content = Path(name).read_bytes()
        address = bucket / "data" / hashlib.sha256(content).hexdigest() / Path(name).name
        uploads[str(address)] = Upload(address, len(content), content=content)
        addresses.append(str(address))
    listed = _content_upload("\n".join(addresses).encode() + b"\n", "files.txt", bucket)
    return BatchInput("files", (str(listed.address),), (*uploads.values(), listed))


def _of_value(what: Given, bucket: Address) -> BatchInput:
    lines = (json.dumps(instance, ensure_ascii=False) for instance in instances_as_json(what))
    upload = _content_upload("".join(f"{line}\n" for line in lines).encode(), "instances.jsonl", bucket)
    return BatchInput("jsonl", (str(upload.address),), (upload,))


def _content_upload(content: bytes, name: str, bucket: Address) -> Upload:
    return Upload(bucket / "data" / hashlib.sha256(content).hexdigest() / name, len(content), content=content)


def _spread(word: str) -> str:
    """A folder stands for the files in it."""
    if any(sign in word for sign in _WILD):
        return word
    if word.startswith("gs://"):
        return f"{word.rstrip('/')}/*" if word.endswith("/") else word
    return f"{word.rstrip('/')}/*" if Path(word).expanduser().is_dir() else word


def _format_of(word: str) -> str:
    name = word.removesuffix(".gz").lower()
    if word.endswith("/") or (not word.startswith("gs://") and Path(word).expanduser().is_dir()):
        return "files"
    for suffix, kind in _SUFFIXES.items():
        if name.endswith(suffix):
            return kind
    raise CloudMLError(
        "unknown-format",
        f"The format of {word} does not follow from its name.",
        next=f"Say it with --format: {', '.join(FORMATS)}.",
    )
