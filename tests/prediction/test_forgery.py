"""A question reads files and objects of buckets; no address of a question ever becomes a connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from cloudml_magic.connection import LocalConnection, Place
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.prediction.given import given
from cloudml_magic.pipeline.prediction.predicting import content_of, files_of
from cloudml_magic.pipeline.prediction.requests import LARGEST_PICTURE
from cloudml_magic.records import Target
from cloudml_magic.settings import Settings
from cloudml_magic.storage import Address
from tests.prediction.interfaces import PICTURES

ADDRESSES = [
    "http://127.0.0.1:{port}/cat.jpg", "http://localhost:{port}/cat.jpg", "http://0.0.0.0:{port}/", "http://[::1]:{port}/",
    "http://2130706433:{port}/", "http://0x7f000001:{port}/", "http://017700000001:{port}/", "http://127.1:{port}/",
    "HTTP://127.0.0.1:{port}/cat.jpg", "https://127.0.0.1:{port}/cat.jpg", "//127.0.0.1:{port}/cat.jpg",
    "http://user:secret@127.0.0.1:{port}/", "http://127.0.0.1.nip.io:{port}/", "http://localhost.localdomain:{port}/",
    "http://169.254.169.254/computeMetadata/v1/", "http://metadata.google.internal/computeMetadata/v1/",
    "http://127.0.0.1:{port}/redirect", "http://127.0.0.1:{port}\\@example.com/", "http://example.com#@127.0.0.1:{port}/",
    "ftp://127.0.0.1:{port}/cat.jpg", "gopher://127.0.0.1:{port}/_GET", "data:image/png;base64,iVBORw0KGgo=",
    "file:///etc/passwd", "file://127.0.0.1:{port}/cat.jpg", "s3://127.0.0.1:{port}/cat.jpg",
]  # fmt: skip


class _Counting(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(302)
        self.send_header("Location", "/again")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing is to be printed."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server of this machine that notes who asks it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Counting) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_never_fetched(address: str, port: int) -> None:
    """Neither as what a cell gives nor as a file of the line; each ends in one clear refusal."""
    nowhere = LocalConnection(Place(Target.LOCAL, "p", "r", Address("b")), Settings())
    url = address.format(port=port)
    with pytest.raises(CloudMLError) as of_cell:
        given(url, PICTURES, lambda where: content_of(where, nowhere), LARGEST_PICTURE)
    with pytest.raises(CloudMLError) as of_line:
        content_of(files_of([url])[0], nowhere)
    for refused in (of_cell, of_line):
        assert refused.value.reference in ("no-address-fetched", "no-such-file")
        assert refused.value.next
    assert _Counting.asked == []
