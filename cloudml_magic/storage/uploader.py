"""Sends files to a bucket by the JSON API itself: whole, unharmed, and over nobody's newer object."""

from __future__ import annotations

import json
import mimetypes
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, urlencode, urlsplit

from cloudml_magic.errors import CloudMLError
from cloudml_magic.storage.address import Address
from cloudml_magic.storage.checksums import crc32c_of, encoded
from cloudml_magic.storage.exchange import Answer
from cloudml_magic.storage.keep_alive import KeepAlive
from cloudml_magic.storage.known_files import KnownFiles
from cloudml_magic.storage.local_files import LocalFile, file_at
from cloudml_magic.storage.objects import differing
from cloudml_magic.storage.parallel import WORKERS, in_parallel
from cloudml_magic.storage.refusals import explained
from cloudml_magic.storage.standings import Standing, Standings, batched

# What is sent in one request; more goes up in blocks, and a broken transfer goes on at its last block.
_ONE_REQUEST_BYTES = 8 << 20
_READS = 3
_TOGETHER = 200
# So long and so random that no file holds it.
_BOUNDARY = secrets.token_hex(24)
_LISTED = "items(name,size,crc32c,generation),nextPageToken"


class Uploader:
    """Files to objects; any number of threads."""

    def __init__(self, connections: KeepAlive, known: Callable[[], KnownFiles]) -> None:
        self._connections = connections
        self._open_known = known

    @property
    def known(self) -> KnownFiles:
        """What is known of files that were read before."""
        return self._open_known()

    def standings(self, bucket: str, prefix: str) -> Standings:
        """What stands beneath a prefix."""
        with explained(Address(bucket, prefix)):
            return Standings(self._pages(bucket, prefix))

    def standings_soon(self, bucket: str, prefix: str) -> Callable[[], Standings]:
        """As `standings`, begun now, so that whoever needs it later can do something else until then."""
        pool = ThreadPoolExecutor(1, thread_name_prefix="standings")
        listing = pool.submit(copy_context().run, self.standings, bucket, prefix)
        pool.shutdown(wait=False)
        return listing.result

    def standing(self, address: Address) -> Standing:
        """What stands at one address."""
        with explained(address):
            answer = self._connections.ask("GET", _object_path(address))
            if answer.status == 404 and "specified bucket" not in answer.said:
                return Standing()
            body = _accepted(answer)
            return Standing(int(body["size"]), body.get("crc32c", ""), int(body["generation"]))

    def send(self, file: LocalFile, address: Address, standing: Standing, moved: Callable[[int], None]) -> str:
        """Stores a file where `standing` stood; its checksum. What somebody else stored meanwhile is not replaced."""
        if file.size > _ONE_REQUEST_BYTES:
            return self._send_blocks(file, address, standing, moved)
        content = _content(file)
        crc32c = crc32c_of(content)
        if not standing.holds(len(content), crc32c):
            with explained(address):
                metadata = _metadata(address, crc32c)
                kind = f"multipart/related; boundary={_BOUNDARY}"
                body = _multipart(metadata, content)
                answer = self._connections.ask(
                    "POST", _upload_path(address, "multipart", standing), body, {"Content-Type": kind}
                )
                self._stored(answer, address, Standing(len(content), crc32c))
                moved(len(content))
        return crc32c

    def send_folder(self, folder: Path, address: Address, names: Iterable[str]) -> None:
        """Sends the named files of a folder whose address follows from their content; what is there is not sent."""
        standings = self.standings(address.bucket, f"{address.name}/")

        def files() -> Iterator[tuple[LocalFile, Address, Standing]]:
            for some in batched(names, _TOGETHER):
                found = standings.of([f"{address.name}/{name}" for name in some])
                for name in some:
                    to = address / name
                    yield file_at(str(folder / name)) or _gone(folder / name), to, found.get(to.name, Standing())

        def send(what: tuple[LocalFile, Address, Standing]) -> None:
            file, to, standing = what
            if not standing.generation:
                self.send(file, to, standing, lambda _: None)
            elif not standing.holds(file.size, self.checksum(file)):
                raise differing(to)

        for _, came in in_parallel(send, files(), WORKERS, lambda: None):
            if isinstance(came, CloudMLError):
                raise came

    def checksum(self, file: LocalFile) -> str:
        """A file's checksum, by reading it."""
        import google_crc32c

        checksum = 0
        with _reading(file) as descriptor:
            while chunk := os.read(descriptor, 1 << 20):
                checksum = google_crc32c.extend(checksum, chunk)
        return encoded(checksum)

    def _send_blocks(self, file: LocalFile, address: Address, standing: Standing, moved: Callable[[int], None]) -> str:
        crc32c = self.checksum(file)
        if standing.holds(file.size, crc32c):
            return crc32c
        what = f"{file.path}\0{file.size}\0{file.changed}\0{crc32c}\0{standing.generation}"
        with explained(address), _reading(file) as descriptor:
            session = self.known.session(str(address), what)
            sent = self._sent(session, file.size) if session else None
            if session is None or sent is None:
                session, sent = self._begin(address, crc32c, standing), 0
                self.known.begin(str(address), what, session)
            moved(min(sent, file.size))
            answer: Answer | None = None
            while sent < file.size:
                block = os.pread(descriptor, min(_ONE_REQUEST_BYTES, file.size - sent), sent)
                if not block or (sent + len(block) == file.size and not file.is_as_it_was(os.fstat(descriptor))):
                    self._connections.ask("DELETE", session)
                    self.known.end(str(address))
                    raise _changing(file)
                span = f"bytes {sent}-{sent + len(block) - 1}/{file.size}"
                answer = self._connections.ask("PUT", session, block, {"Content-Range": span})
                if answer.status != 308:
                    break
                arrived = _arrived(answer)
                moved(arrived - sent)
                sent = arrived
            else:
                answer = self._connections.ask("PUT", session, b"", {"Content-Range": f"bytes */{file.size}"})
            self.known.end(str(address))
            self._stored(answer, address, Standing(file.size, crc32c))
            moved(file.size - sent)
        return crc32c

    def _begin(self, address: Address, crc32c: str, standing: Standing) -> str:
        metadata = _metadata(address, crc32c)
        answer = self._connections.ask(
            "POST",
            _upload_path(address, "resumable", standing),
            metadata,
            {"Content-Type": "application/json; charset=UTF-8"},
        )
        if answer.status == 412:
            raise _overtaken(address)
        _accepted(answer)
        place = urlsplit(answer.headers["location"])
        return f"{place.path}?{place.query}"

    def _sent(self, session: str, size: int) -> int | None:
        """How much of an upload that was begun has arrived; None if it cannot go on."""
        answer = self._connections.ask("PUT", session, b"", {"Content-Range": f"bytes */{size}"})
        return _arrived(answer) if answer.status == 308 else size if answer.status == 200 else None

    def _stored(self, answer: Answer, address: Address, sent: Standing) -> None:
        # 412 after a lost reply may be the answer to our own success: the content decides.
        if answer.status == 412:
            there = self.standing(address)
            if not there.holds(sent.size, sent.crc32c):
                raise _overtaken(address)
            return
        body = _accepted(answer)
        if body.get("crc32c", sent.crc32c) != sent.crc32c:
            raise CloudMLError(
                "object-differs",
                f"{address} is not what was sent.",
                why="Its checksum is another one.",
                next="Run the line again.",
            )

    def _pages(self, bucket: str, prefix: str) -> Iterator[list[dict[str, Any]]]:
        query = {"prefix": prefix, "fields": _LISTED, "maxResults": "1000"}
        while True:
            path = f"/storage/v1/b/{quote(bucket, safe='')}/o?{urlencode(query)}"
            page = _accepted(self._connections.ask("GET", path))
            yield page.get("items", [])
            if not page.get("nextPageToken"):
                return
            query["pageToken"] = page["nextPageToken"]


def _gone(file: Path) -> LocalFile:
    """A file that was there before; that it cannot be read is said when it is opened."""
    return LocalFile(str(file), file.name, 0, (0, 0, 0))


class _reading:  # noqa: N801
    """A file that is open; what cannot be opened is said in our one way."""

    def __init__(self, file: LocalFile) -> None:
        self._file = file

    def __enter__(self) -> int:
        try:
            self._descriptor = os.open(self._file.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as problem:
            raise CloudMLError(
                "file-unreadable",
                f"{self._file.path} cannot be read.",
                why=problem.strerror or str(problem),
                next="Make it readable, or leave it out.",
            ) from problem
        return self._descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _content(file: LocalFile) -> bytes:
    """All of a file as it was at one moment."""
    with _reading(file) as descriptor:
        for _ in range(_READS):
            before = os.fstat(descriptor)
            content = os.pread(descriptor, before.st_size + 1, 0)
            after = os.fstat(descriptor)
            if len(content) == before.st_size and before.st_mtime_ns == after.st_mtime_ns:
                return content
    raise _changing(file)


def _metadata(address: Address, crc32c: str) -> bytes:
    kind = mimetypes.guess_type(address.name)[0] or "application/octet-stream"
    return json.dumps({"name": address.name, "contentType": kind, "crc32c": crc32c}).encode()


def _multipart(metadata: bytes, content: bytes) -> bytes:
    mark = b"--" + _BOUNDARY.encode()
    return b"".join(
        (
            mark + b"\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n",
            metadata,
            b"\r\n" + mark + b"\r\nContent-Type: application/octet-stream\r\n\r\n",
            content,
            b"\r\n" + mark + b"--\r\n",
        )
    )


def _object_path(address: Address) -> str:
    return f"/storage/v1/b/{quote(address.bucket, safe='')}/o/{quote(address.name, safe='')}"


def _upload_path(address: Address, kind: str, standing: Standing) -> str:
    query = urlencode({"uploadType": kind, "ifGenerationMatch": standing.generation})
    return f"/upload/storage/v1/b/{quote(address.bucket, safe='')}/o?{query}"


def _arrived(answer: Answer) -> int:
    _, _, last = answer.headers.get("range", "").rpartition("-")
    return int(last) + 1 if last else 0


def _accepted(answer: Answer) -> dict[str, Any]:
    if answer.status >= 300:
        _refuse(answer)
    return answer.json() if answer.content else {}


def _refuse(answer: Answer) -> NoReturn:
    from google.api_core.exceptions import from_http_status

    raise from_http_status(answer.status, answer.said)


def _changing(file: LocalFile) -> CloudMLError:
    return CloudMLError(
        "file-changed",
        f"{file.path} changes while it is read.",
        why="What would be stored is neither the old file nor the new one.",
        next="Copy it again when nothing writes to it any more. Nothing was stored of it.",
    )


def _overtaken(address: Address) -> CloudMLError:
    return CloudMLError(
        "object-changed",
        f"{address} was stored anew by somebody else meanwhile.",
        why="To replace it would undo what they did.",
        next="Copy again if yours is to replace it.",
    )
