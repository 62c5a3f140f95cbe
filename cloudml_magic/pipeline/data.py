"""What goes to the bucket beside the package: data files and shipped values, addressed by their content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloudml_magic.connection import Connection
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.folder_versions import copy_known, remember
from cloudml_magic.records import DataFile, ShippedValue
from cloudml_magic.storage import Address
from cloudml_magic.storage.local_files import LocalFile, file_at


@dataclass(frozen=True, slots=True)
class Upload:
    """Something that has to lie at an address before the job starts: content, a file, or files of a folder."""

    address: Address
    size: int
    content: bytes | None = field(default=None, repr=False)
    file: Path | None = None
    folder: Path | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    as_read: tuple[LocalFile, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The files of the folder, relative to it."""
        return tuple(self.digests)

    def send(self, there: Connection) -> None:
        """Sends what is not there yet; raises where a file is not what its address was made of."""
        self._check_unchanged()
        if self.content is not None:
            there.storage.put_once(self.address, self.content)
        elif self.file is not None:
            there.storage.put_file_once(self.address, self.file)
        elif self.folder is not None:
            copy_known(self.folder, self.digests, self.address, there.storage)
            there.uploader.send_folder(self.folder, self.address, self.names)
            # Before this version is known as whole.
            self._check_unchanged()
            remember(self.folder, self.digests, self.address, there.storage)
        self._check_unchanged()

    def _check_unchanged(self) -> None:
        for file in self.as_read:
            if file_at(file.path) != file:
                raise CloudMLError(
                    "data-changed",
                    f"{file.path} changed while it was sent.",
                    why="Its address in the bucket follows from what it held before; nothing else may lie there.",
                    next="Run the cell again when nothing writes to it any more.",
                )


def parse_data(values: Iterable[str], folder: Path) -> tuple[DataFile, ...]:
    """`--data data.csv`, `--data train=ADDRESS`: where something lies, and the relative path that the job sees."""
    found = []
    for value in values:
        path, separator, address = value.partition("=")
        if not separator:
            address, path = value, _natural_path(value, folder)
        found.append(DataFile(address, _checked_path(path.strip("/") or path, value)))
    return tuple(found)


def prepare_data(data: Iterable[DataFile], folder: Path, bucket: Address) -> tuple[dict[str, str], tuple[Upload, ...]]:
    """For each relative path the gs:// address that the job reads, and what has to go up for it."""
    addresses: dict[str, str] = {}
    uploads = []
    for item in data:
        if item.address.startswith("gs://"):
            addresses[item.path] = str(Address.parse(item.address))
            continue
        upload = _upload(item, folder, bucket)
        uploads.append(upload)
        addresses[item.path] = str(upload.address)
    return addresses, tuple(uploads)


def prepare_weights(files: Iterable[Path], bucket: Address) -> tuple[dict[str, str], tuple[Upload, ...]]:
    """For each file of pre-trained weights its address, and what has to go up: each of them once for all jobs."""
    uploads = [
        Upload(bucket / "data" / _file_digest(file) / file.name, file.stat().st_size, file=file) for file in files
    ]
    return {upload.address.name.rpartition("/")[2]: str(upload.address) for upload in uploads}, tuple(uploads)


def prepare_shipped(
    shipped: Iterable[ShippedValue], namespace: Mapping[str, Any], bucket: Address
) -> tuple[dict[str, str], tuple[Upload, ...]]:
    """For each shipped name the address of its file, and what has to go up."""
    from cloudml_magic.trainer import shipped as shipped_format

    addresses: dict[str, str] = {}
    uploads = []
    for item in shipped:
        try:
            content, suffix = shipped_format.save(namespace[item.name])
        except Exception as problem:  # whatever a foreign type says when it is read
            raise CloudMLError(
                "unshippable-value",
                f"--ship {item.name}: {item.summary} cannot be shipped.",
                why="It holds Python objects; only numbers, texts and dates travel without running code."
                if isinstance(problem, TypeError)
                else str(problem).strip()[:500] or type(problem).__name__,
                next="Turn it into an array of numbers or texts, or write it to a file and add --data FILE.",
            ) from problem
        address = bucket / "data" / hashlib.sha256(content).hexdigest() / f"{item.name}{suffix}"
        addresses[item.name] = str(address)
        uploads.append(Upload(address, len(content), content=content))
    return addresses, tuple(uploads)


def _natural_path(value: str, folder: Path) -> str:
    if value.startswith("gs://"):
        return Address.parse(value).name.rpartition("/")[2] or Address.parse(value).bucket
    path = Path(value).expanduser()
    if path.is_absolute():
        return path.name
    return path.as_posix()


def _checked_path(path: str, value: str) -> str:
    parts = Path(path).parts
    if not parts or Path(path).is_absolute() or ".." in parts or "\0" in path:
        raise CloudMLError(
            "bad-data-path",
            f"--data {value!r} has no relative path for the job.",
            why=f"{path!r} leads out of the job's folder.",
            next="Say under which relative path the code shall find it: --data train=ADDRESS.",
        )
    return Path(path).as_posix()


def _upload(item: DataFile, folder: Path, bucket: Address) -> Upload:
    source = folder / Path(item.address).expanduser()
    try:
        if source.is_dir():
            return _folder_upload(source, bucket)
        as_read = _as_they_are([source])
        digest, size = _file_digest(source), source.stat().st_size
    except OSError as problem:
        raise CloudMLError(
            "data-not-found" if isinstance(problem, FileNotFoundError) else "data-unreadable",
            f"--data {item.address} cannot be read.",
            why=f"{source}: {problem.strerror or problem}",
            next="Give a file or folder relative to the notebook, or a gs:// address.",
        ) from problem
    return Upload(bucket / "data" / digest / source.name, size, file=source, as_read=as_read)


def _folder_upload(source: Path, bucket: Address) -> Upload:
    files = sorted(path for path in source.rglob("*") if path.is_file())
    as_read = _as_they_are(files)
    digests = {path.relative_to(source).as_posix(): _file_digest(path) for path in files}
    total = hashlib.sha256()
    for name, digest in digests.items():
        total.update(f"{name}\0{digest}\0".encode("utf-8", "surrogateescape"))
    size = sum(path.stat().st_size for path in files)
    address = bucket / "data" / total.hexdigest() / source.name
    return Upload(address, size, folder=source, digests=digests, as_read=as_read)


def _as_they_are(paths: Iterable[Path]) -> tuple[LocalFile, ...]:
    """The files before they are read, so that a change while they are read is seen too."""
    return tuple(file for path in paths if (file := file_at(str(path))) is not None)


def _file_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
