"""`buckets` and `objects`: browse, preview, download, upload."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import IO
from urllib.parse import quote

from tornado import web

from cloudml_magic.errors import CloudMLError
from cloudml_magic.server_extension.bodies import refused
from cloudml_magic.server_extension.handler import Handler

BUCKET = r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]"
FOLDER = rf"{BUCKET}(/[^\x00]*)?"
_OBJECT = rf"{BUCKET}/[^\x00]*[^/\x00]"


class BucketsHandler(Handler):
    """The buckets of the project."""

    @web.authenticated
    async def get(self) -> None:
        await self.reply(self.half.buckets.buckets)


class ObjectsHandler(Handler):
    """One level of a bucket."""

    @web.authenticated
    async def get(self) -> None:
        folder, page = self.query("folder", FOLDER), self.query("page", required=False) or None
        await self.reply(lambda: self.half.buckets.level(folder, page))


class PreviewHandler(Handler):
    """A text or picture, as it can be shown."""

    @web.authenticated
    async def get(self) -> None:
        address = self.query("address", _OBJECT)
        await self.reply(lambda: self.half.buckets.preview(address))


class ContentHandler(Handler):
    """An object as a download, which no browser opens by itself."""

    @web.authenticated
    async def get(self) -> None:
        address = self.query("address", _OBJECT)
        known, pieces = await self.work(lambda: self.half.buckets.download(address))
        name = quote(known.name.rpartition("/")[2], safe="")
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{name}")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Length", str(known.size))
        while (piece := await self.work(lambda: self.half.buckets.piece(pieces))) is not None:
            self.write(piece)
            await self.flush()
        self.finish(set_content_type="application/octet-stream")


@web.stream_request_body
class UploadHandler(Handler):
    """Takes a file as it comes; it is stored when it is whole."""

    _file: IO[bytes] | None = None
    _trouble: OSError | None = None

    async def prepare(self) -> None:  # type: ignore[override]
        """Looks at who sends what and how much before anything is read."""
        await super().prepare()
        self._address = self.query("address", _OBJECT)
        self._overwrite = self.query("overwrite", "[01]", required=False) == "1"
        length = self.request.headers.get("Content-Length", "")
        if not length.isdigit():
            raise refused("`Content-Length` is missing.")
        limit = self.half.limits.upload_limit_bytes
        if int(length) > limit:
            raise CloudMLError(
                "upload-too-large",
                "The file is too large to be uploaded here.",
                why=f"It has {int(length):,} bytes; {limit:,} are allowed.",
                next="Upload it with `gcloud storage cp` or google-cloud-storage,"
                " or raise `c.ServerExtension.upload_limit_bytes` of the Jupyter server.",
            )
        assert self.request.connection is not None
        self.request.connection.set_max_body_size(limit)  # type: ignore[attr-defined]
        # Without a name: nothing is left of it, however this server ends.
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `_drop`)

    def data_received(self, chunk: bytes) -> None:
        assert self._file is not None
        if self._trouble is None:
            try:
                self._file.write(chunk)
            except OSError as trouble:
                self._trouble = trouble

    @web.authenticated
    async def post(self) -> None:
        assert self._file is not None
        try:
            self._file.flush()
        except OSError as trouble:
            self._trouble = trouble
        if self._trouble is not None:
            raise CloudMLError(
                "upload-failed",
                "The file could not be taken in.",
                why=f"{self._trouble.strerror or self._trouble} in {tempfile.gettempdir()}.",
                next="Free space on the machine of the Jupyter server, and upload the file again.",
            )
        file = Path(f"/proc/self/fd/{self._file.fileno()}")
        await self.reply(lambda: self.half.buckets.upload(self._address, file, self._overwrite))

    def on_finish(self) -> None:
        self._drop()
        super().on_finish()

    def on_connection_close(self) -> None:
        self._drop()
        super().on_connection_close()

    def _drop(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()


ROUTES = [
    (r"buckets", BucketsHandler),
    (r"objects", ObjectsHandler),
    (r"objects/preview", PreviewHandler),
    (r"objects/content", ContentHandler),
    (r"objects/upload", UploadHandler),
]
