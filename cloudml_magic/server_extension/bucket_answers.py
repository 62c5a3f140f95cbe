"""What is answered about buckets and their objects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cloudml_magic.connection import only_looking
from cloudml_magic.pipeline import buckets as through
from cloudml_magic.pipeline.session import is_nothing_there
from cloudml_magic.storage import Address, StoredObject

_BINARY = "application/octet-stream"


class BucketAnswers:
    """Looks through buckets by the pipeline; every call blocks."""

    def buckets(self) -> dict[str, Any]:
        """The buckets of the project."""
        if is_nothing_there():
            return {"buckets": []}
        with only_looking():
            return {"buckets": [{"name": name, "created": created} for name, created in through.buckets()]}

    def level(self, folder: str, page: str | None) -> dict[str, Any]:
        """What lies directly in a folder."""
        with only_looking():
            found = through.level(folder, page)
        return {
            "folders": list(found.folders),
            "objects": [
                {"name": each.name, "size": each.size, "updated": each.updated, "content_type": each.content_type}
                for each in found.objects
            ],
            "next_page": found.next_page,
        }

    def preview(self, address: str) -> dict[str, Any]:
        """A text or picture, as it can be shown."""
        with only_looking():
            return through.preview(address)

    def download(self, address: str) -> tuple[StoredObject, Iterator[bytes]]:
        """What is known of an object, and its pieces."""
        with only_looking():
            return through.stored(address), through.chunks(address)

    def piece(self, pieces: Iterator[bytes]) -> bytes | None:
        """The next piece, None at the end."""
        with only_looking():
            return next(pieces, None)

    def upload(self, address: str, file: Path, overwrite: bool) -> dict[str, Any]:
        """Stores what a page sent."""
        through.upload(address, file, _BINARY, overwrite=overwrite)
        return {"name": Address.parse(address).name.rpartition("/")[2], "size": file.stat().st_size}
