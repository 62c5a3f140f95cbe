"""Reads and writes objects so that nothing is written twice, half or corrupt."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.patience import Patience
from cloudml_magic.storage.address import Address
from cloudml_magic.storage.checksums import encoded
from cloudml_magic.storage.growth import Growth, ReadSoFar, growth_of
from cloudml_magic.storage.refusals import explained, said

_GIVE_UP_SECONDS = 60.0
TIMEOUT_SECONDS = 30.0
_DOWNLOADS = 3
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class _Known:
    """What content is known by before it is sent."""

    size: int
    checksum: int

    @property
    def encoded(self) -> str:
        """The checksum as Cloud Storage writes it."""
        return encoded(self.checksum)


class ObjectStorage:
    """The objects that one google-cloud-storage client reaches."""

    def __init__(self, client: Callable[[], Any]) -> None:
        # The client is made at its first use: importing it takes longer than all else that a dry run does.
        self._make_client = client

    def put_once(self, address: Address, content: bytes) -> bool:
        """Stores content under a name that follows from it; False if it was there already, nothing sent twice."""
        import google_crc32c

        known = _Known(len(content), google_crc32c.value(content))
        return self._put_once(address, known, lambda blob, **how: blob.upload_from_string(content, **how))

    def put_file_once(self, address: Address, file: Path) -> bool:
        """Stores a file of any size under a name that follows from its content, as `put_once` does."""
        return self._put_once(address, known_of(file), lambda blob, **how: blob.upload_from_filename(str(file), **how))

    def _put_once(self, address: Address, known: _Known, send: Callable[..., None]) -> bool:
        from google.api_core.exceptions import PreconditionFailed

        with explained(address):
            blob = self._blob(address)
            if _holds(blob, known):
                return False
            try:
                send(
                    blob,
                    content_type="application/octet-stream",
                    if_generation_match=0,
                    checksum="crc32c",
                    **patience(),
                )
            except PreconditionFailed:
                # Either another kernel was faster or the reply of our own upload was lost: the content decides.
                if not _holds(blob, known):
                    raise differing(address) from None
        return True

    def write(self, address: Address, content: bytes, content_type: str = "application/json") -> None:
        """Stores content, over an older one too."""
        with explained(address):
            self._blob(address).upload_from_string(content, content_type=content_type, checksum="crc32c", **patience())

    def read(self, address: Address) -> bytes | None:
        """The whole content, or None if there is no such object."""
        from google.api_core.exceptions import NotFound

        with explained(address):
            try:
                content: bytes = undamaged(lambda: self._blob(address).download_as_bytes(checksum="auto", **patience()))
            except NotFound:
                return None
            return content

    def read_newer(self, address: Address, before: ReadSoFar | None) -> Growth | None:
        """What came since an object that grows was read last, or None if nothing did or there is no such object.

        Asked once and not again: who looks at it regularly decides when to look next.
        """
        from google.api_core.exceptions import NotFound, NotModified

        with explained(address):
            try:
                return growth_of(self._blob(address), before, TIMEOUT_SECONDS)
            except (NotFound, NotModified):
                return None

    def names(self, folder: Address) -> list[str]:
        """The names of the objects in a folder and beneath, relative to it."""
        prefix = f"{folder.name}/" if folder.name else ""
        with explained(folder):
            found = self._client().list_blobs(folder.bucket, prefix=prefix, **patience())
            return [blob.name[len(prefix) :] for blob in found if blob.name != prefix]

    def size(self, address: Address) -> int | None:
        """How many bytes an object has, or None if there is none."""
        with explained(address):
            blob = self._client().bucket(address.bucket).get_blob(address.name, **patience())
            return None if blob is None else blob.size

    def download(self, address: Address, file: Path) -> None:
        """Brings an object to a local file, whole or not at all."""
        with explained(address):
            handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name[:40]}.")
            os.close(handle)
            try:
                undamaged(lambda: self._blob(address).download_to_filename(temporary, checksum="auto", **patience()))
                Path(temporary).replace(file)
            finally:
                Path(temporary).unlink(missing_ok=True)

    def copy_folder(self, folder: Address, to: Address, names: list[str]) -> None:
        """Copies the named objects of a folder where they are not yet, without bringing them here."""
        for name in names:
            with explained(folder):
                blob = self._blob(to / name)
                token, *_ = blob.rewrite(self._blob(folder / name), **patience())
                while token is not None:
                    token, *_ = blob.rewrite(self._blob(folder / name), token=token, **patience())

    def delete_folder(self, folder: Address) -> None:
        """Removes every object of a folder."""
        from google.api_core.exceptions import NotFound

        for name in self.names(folder):
            with explained(folder), contextlib.suppress(NotFound):
                self._blob(folder / name).delete(**patience())

    def _client(self) -> Any:
        return self._make_client()

    def _blob(self, address: Address) -> Any:
        return self._client().bucket(address.bucket).blob(address.name)


def _holds(blob: Any, known: _Known) -> bool:
    from google.api_core.exceptions import NotFound

    try:
        blob.reload(**patience())
    except NotFound:
        return False
    return bool(blob.size == known.size and blob.crc32c == known.encoded)


def differing(address: Address) -> CloudMLError:
    """Something else lies under a name that follows from what belongs there."""
    return CloudMLError(
        "object-differs",
        f"{address} holds something else than what belongs there.",
        why="Its name follows from its content, but size or checksum differ.",
        next=f"Delete {address} if nothing needs it, and run the cell again.",
    )


def known_of(file: Path) -> _Known:
    import google_crc32c

    size = checksum = 0
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            size += len(chunk)
            checksum = google_crc32c.extend(checksum, chunk)
    return _Known(size, checksum)


def undamaged(download: Callable[[], Any]) -> Any:
    """Repeats a download that arrived damaged; a fault that stays is raised."""
    from google.resumable_media import DataCorruption

    for _ in range(_DOWNLOADS - 1):
        try:
            return download()
        except DataCorruption:
            continue
    return download()


def patience() -> dict[str, Any]:
    """How long a call waits for an answer, and how long it is repeated; who waits is told of it."""
    from google.api_core.retry import Retry
    from google.cloud.storage.retry import DEFAULT_RETRY

    trying = Patience()
    retry = Retry(
        # The library's own judgement of what passes.
        predicate=DEFAULT_RETRY._predicate,
        timeout=_GIVE_UP_SECONDS,
        on_error=lambda problem: trying.failed(said(problem)),
    )
    return {"timeout": TIMEOUT_SECONDS, "retry": retry}
