"""Buckets: browsed level by level, looked into without anything that a browser would run, brought and sent whole."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image
from tornado.httpclient import HTTPClientError

from cloudml_magic.local_platform.settings import BUCKET
from cloudml_magic.pipeline.session import connection
from cloudml_magic.storage import Address
from tests.server_extension.conftest import Server, in_thread

ROOT = f"gs://{BUCKET}/shown"


async def put(name: str, content: bytes) -> str:
    address = f"{ROOT}/{name}"
    await in_thread(lambda: connection().storage.write(Address.parse(address), content))
    return address


async def uploaded(server: Server, address: str, content: bytes, **query: str) -> Any:
    params = {"address": address, **query}
    return await server.raw("POST", "objects", "upload", body=content, params=params,
                            headers={"Content-Type": "application/octet-stream"})  # fmt: skip


async def test_a_file_goes_up_is_listed_and_comes_back(server: Server) -> None:
    content = bytes(range(256)) * 9000
    address = f"{ROOT}/up/größe & co #1?.bin"
    answer = await uploaded(server, address, content)
    assert json.loads(answer.body) == {"name": "größe & co #1?.bin", "size": len(content)}
    assert BUCKET in [bucket["name"] for bucket in (await server.get("buckets"))["buckets"]]
    assert "up" in (await server.get("objects", folder=ROOT))["folders"]
    level = await server.get("objects", folder=f"{ROOT}/up")
    assert [(each["name"], each["size"]) for each in level["objects"]] == [("größe & co #1?.bin", len(content))]
    assert level["next_page"] is None

    back = await server.raw("GET", "objects", "content", params={"address": address})
    assert hashlib.sha256(back.body).digest() == hashlib.sha256(content).digest()
    assert back.headers["Content-Type"] == "application/octet-stream"
    assert back.headers["X-Content-Type-Options"] == "nosniff"
    assert back.headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{quote('größe & co #1?.bin', safe='')}"

    status, parts = await server.refused("POST", "objects", "upload", body=b"x", params={"address": address})
    assert (status, parts["reference"]) == (409, "object-exists")
    assert json.loads((await uploaded(server, address, b"new", overwrite="1")).body)["size"] == 3


async def test_an_empty_object(server: Server) -> None:
    address = f"{ROOT}/empty"
    await uploaded(server, address, b"", overwrite="1")
    assert (await server.raw("GET", "objects", "content", params={"address": address})).body == b""
    assert await server.get("objects", "preview", address=address) == {"kind": "text", "text": "", "cut": False}


async def test_texts_and_pictures_are_shown(server: Server) -> None:
    text = await put("long.txt", "é".encode() * 50_000)
    shown = await server.get("objects", "preview", address=text)
    assert shown["kind"] == "text" and shown["cut"] and set(shown["text"]) == {"é"}
    file = io.BytesIO()
    Image.new("RGB", (2000, 1000), "red").save(file, "PNG")
    picture = await server.get("objects", "preview", address=await put("red.png", file.getvalue()))
    assert picture["content_type"] == "image/jpeg"
    assert Image.open(io.BytesIO(base64.b64decode(picture["content"]))).size == (512, 256)
    nothing = await server.get("objects", "preview", address=await put("model.bin", b"\x00\x01\xff"))
    assert nothing == {"kind": "none", "why": "It holds neither a text nor a picture that can be read."}
    table = await server.get("objects", "preview", address=await put("begins.csv", b"BMI,age\n22.5,31\n"))
    assert table == {"kind": "text", "text": "BMI,age\n22.5,31\n", "cut": False}


@pytest.mark.parametrize("name, content", [
    ("picture.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
    ("page.html", b"<html><script>alert(1)</script></html>"),
])  # fmt: skip
async def test_what_a_browser_would_run_is_text(server: Server, name: str, content: bytes) -> None:
    address = await put(name, content)
    assert (await server.get("objects", "preview", address=address))["kind"] == "text"
    answer = await server.raw("GET", "objects", "content", params={"address": address})
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")


async def test_a_picture_that_would_fill_the_memory_is_not_decoded(server: Server) -> None:
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    shown = await server.get("objects", "preview", address=await put("bomb.png", file.getvalue()))
    assert shown == {"kind": "none", "why": "The picture has too many pixels to be shown here."}
    Image.new("RGB", (20, 20)).save(file := io.BytesIO(), "PNG")
    broken = await server.get("objects", "preview", address=await put("broken.png", file.getvalue()[:45]))
    assert broken == {"kind": "none", "why": "It holds neither a text nor a picture that can be read."}


@pytest.mark.parametrize(
    "address",
    [
        "/etc/passwd",
        "gs://",
        "file:///etc/passwd",
        "gs:///x",
        "gs://../x",
        "gs://b c/x",
        "gs://a%2Fb/x",
        "http://a/b",
        "gs://b/",
        "gs://b",
    ],
)
async def test_only_objects_have_a_content(server: Server, address: str) -> None:
    for route in ("preview", "content"):
        status, _ = await server.refused("GET", "objects", route, params={"address": address})
        assert status == 400


@pytest.mark.parametrize("address", [
    "gs://no-such-bucket/x", f"gs://{BUCKET}/../../../etc/passwd", f"gs://{BUCKET}/{'a' * 900}",
])  # fmt: skip
async def test_there_is_no_such_object(server: Server, address: str) -> None:
    await put("any", b"1")
    status, parts = await server.refused("GET", "objects", "content", params={"address": address})
    assert status in (400, 404), parts
    assert "Traceback" not in json.dumps(parts)


async def test_what_is_too_large_is_refused_before_it_is_read(server: Server, jp_serverapp: Any) -> None:
    jp_serverapp.web_app.settings["cloudml_magic"].upload_limit_bytes = 1000
    status, parts = await server.refused(
        "POST", "objects", "upload", body=b"x" * 1001, params={"address": f"{ROOT}/large"}
    )
    assert (status, parts["reference"]) == (413, "upload-too-large")
    assert parts["why"] == "It has 1,001 bytes; 1,000 are allowed."
    with pytest.raises(HTTPClientError):
        await server.get("objects", "preview", address=f"{ROOT}/large")


async def test_a_control_character_makes_no_other_name_of_a_name(server: Server) -> None:
    """Names are told apart to the last byte, as the bucket does; Tornado alone would make spaces of them."""
    plain = f"{ROOT}/odd/a b"
    await uploaded(server, plain, b"plain", overwrite="1")
    await uploaded(server, f"{ROOT}/odd/a\x01b", b"other", overwrite="1")
    for address, content in ((plain, b"plain"), (f"{ROOT}/odd/a\x01b", b"other")):
        back = await server.raw("GET", "objects", "content", params={"address": address})
        assert back.body == content


async def test_a_full_disk_is_said_in_words(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sent is not stored in part."""

    class Full(io.BytesIO):
        def write(self, _: Any) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("cloudml_magic.server_extension.routes.buckets.tempfile.TemporaryFile", Full)
    monkeypatch.setattr("cloudml_magic.server_extension.routes.buckets.tempfile.gettempdir", lambda: "/tmp")
    status, parts = await server.refused(
        "POST", "objects", "upload", body=b"x" * 5000, params={"address": f"{ROOT}/never"}
    )
    assert (status, parts["reference"], parts["why"]) == (507, "upload-failed", "No space left on device in /tmp.")
    status, _ = await server.refused("GET", "objects", "content", params={"address": f"{ROOT}/never"})
    assert status == 404
