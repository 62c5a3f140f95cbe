"""The upload protocols byte by byte, as Google documents them."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudml_magic.local_platform.buckets.names import is_path, side_name
from cloudml_magic.local_platform.buckets.uploads import ContentRange
from cloudml_magic.local_platform.errors import PlatformError
from tests.long_counts import only_in_soak

from .conftest import TOKEN, Served

UPLOAD = "/upload/storage/v1/b/cloudml-local/o"
OBJECTS = "/storage/v1/b/cloudml-local/o"


def begin(served: Served, name: str = "big", query: str = "", **metadata: str) -> str:
    status, headers, content = served.send("POST", f"{UPLOAD}?uploadType=resumable{query}", {"name": name, **metadata})
    assert status == 200, content
    assert headers["location"].startswith(f"{served.endpoint}/upload/")
    return headers["location"].removeprefix(served.endpoint)


def test_a_broken_resumable_upload_goes_on_where_it_was(served: Served) -> None:
    """308 tells what has arrived; a status query tells it again; sent twice, bytes count once; the end is an object."""
    content = os.urandom(700_000)
    session = begin(served)
    assert served.send("PUT", session, headers={"Content-Range": "bytes */700000"})[0:1] == (308,)
    status, headers, _ = served.send("PUT", session, content[:300_000], {"Content-Range": "bytes 0-299999/700000"})
    assert (status, headers["range"]) == (308, "bytes=0-299999")
    status, headers, _ = served.send("PUT", session, headers={"Content-Range": "bytes */*"})
    assert (status, headers["range"]) == (308, "bytes=0-299999")
    overlap = {"Content-Range": "bytes 200000-499999/*"}
    status, headers, _ = served.send("PUT", session, content[200_000:500_000], overlap)
    assert (status, headers["range"]) == (308, "bytes=0-499999")
    gap = {"Content-Range": "bytes 600000-699999/700000"}
    status, headers, _ = served.send("PUT", session, content[600_000:], gap)
    assert (status, headers["range"]) == (308, "bytes=0-499999")
    assert served.refused("GET", f"{OBJECTS}/big")["code"] == 404
    last = {"Content-Range": "bytes 500000-699999/700000"}
    made = served.ask("PUT", session, content[500_000:], last)
    assert made["size"] == "700000"
    assert made["md5Hash"] == base64.b64encode(hashlib.md5(content).digest()).decode()
    assert served.ask("PUT", session, headers={"Content-Range": "bytes */700000"}) == made
    assert served.ask("PUT", session, content[500_000:], last) == made
    assert served.send("GET", f"{OBJECTS}/big?alt=media")[2] == content


def test_a_cancelled_upload_leaves_nothing(served: Served) -> None:
    """DELETE of a session answers 499 and leaves neither object nor file."""
    session = begin(served)
    served.send("PUT", session, b"x" * 1000, {"Content-Range": "bytes 0-999/5000"})
    assert served.send("DELETE", session)[0] == 499
    assert served.send("PUT", session, b"y", {"Content-Range": "bytes 1000-1000/5000"})[0] == 404
    assert served.refused("GET", f"{OBJECTS}/big")["code"] == 404
    assert list(served.platform.store.staging.iterdir()) == []


def test_an_upload_broken_off_leaves_nothing(served: Served) -> None:
    """A client that vanishes in the middle of its body leaves no object and no file."""
    with socket.create_connection(("127.0.0.1", served.port)) as raw:
        raw.sendall(
            f"POST {UPLOAD}?uploadType=media&name=half HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
            f"Authorization: Bearer {TOKEN}\r\nContent-Length: 9000000\r\n\r\n".encode()
            + b"x" * 3_000_000
        )
    time.sleep(0.3)
    assert served.refused("GET", f"{OBJECTS}/half")["code"] == 404
    assert list(served.platform.store.staging.iterdir()) == []


@pytest.mark.parametrize("where", ["metadata", "header", "resumable"])
def test_wrong_checksums_are_refused(served: Served, where: str) -> None:
    """A checksum that does not hold is a 400 that shows both, and there is no object."""
    if where == "header":
        error = served.refused("POST", f"{UPLOAD}?uploadType=media&name=a", b"abc", {"x-goog-hash": "crc32c=AAAAAA=="})
    elif where == "metadata":
        body = b'--B\r\ncontent-type: application/json\r\n\r\n{"name":"a","md5Hash":"AAAA"}\r\n--B\r\n\r\nabc\r\n--B--'
        kind = {"content-type": "multipart/related; boundary=B"}
        error = served.refused("POST", f"{UPLOAD}?uploadType=multipart", body, kind)
    else:
        error = served.refused("PUT", begin(served, "a", crc32c="AAAAAA=="), b"abc")
    assert error["code"] == 400
    assert "doesn't match calculated" in error["message"]
    assert served.refused("GET", f"{OBJECTS}/a")["code"] == 404
    assert list(served.platform.store.staging.iterdir()) == []


def test_preconditions_hold_at_the_end_of_an_upload(served: Served) -> None:
    """Who finishes second of two sessions that both began on condition that there is nothing is refused."""
    first, second = (begin(served, "a", "&ifGenerationMatch=0") for _ in range(2))
    served.ask("PUT", first, b"first")
    assert served.refused("PUT", second, b"second")["code"] == 412
    assert served.send("GET", f"{OBJECTS}/a?alt=media")[2] == b"first"


@pytest.mark.parametrize(
    ("header", "status", "content", "range"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=5-99", 206, b"56789", "bytes 5-9/10"),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=-0", 416, None, "bytes */10"),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
        ("cows=1-2", 200, b"0123456789", None),
        ("bytes=-", 200, b"0123456789", None),
    ],
)
def test_ranges(served: Served, header: str, status: int, content: bytes | None, range: str | None) -> None:
    """One range is answered with 206, an impossible one with 416, anything else with the whole."""
    served.ask("POST", f"{UPLOAD}?uploadType=media&name=a", b"0123456789")
    actual, headers, body = served.send("GET", f"/download{OBJECTS}/a?alt=media", headers={"Range": header})
    assert (actual, headers.get("content-range")) == (status, range)
    assert content is None or body == content


@pytest.mark.parametrize(
    "body",
    [
        b"", b"--B", b"--B--", b"--B\r\n\r\n{}\r\n--B", b"junk", b'--B\r\n\r\n{"name":"a"}\r\n--B\r\n\r\nabc',
        b"--B\r\n\r\n{\r\n--B\r\n\r\nabc\r\n--B--", b'--B\r\n\r\n{"cow":1}\r\n--B\r\n\r\nabc\r\n--B--',
        b"--B\r\n\r\n[]\r\n--B\r\n\r\nabc\r\n--B--",
    ],
)  # fmt: skip
def test_broken_multipart_bodies_are_refused(served: Served, body: bytes) -> None:
    """A multipart body that cannot be read is a 400, and nothing is stored."""
    kind = {"content-type": "multipart/related; boundary=B"}
    assert served.refused("POST", f"{UPLOAD}?uploadType=multipart", body, kind)["code"] == 400
    assert served.ask("GET", OBJECTS) == {"kind": "storage#objects"}


@given(st.text(max_size=60) | st.from_regex(r"bytes [-\d*]{0,25}/[\d*]{0,25}", fullmatch=True), st.integers(0, 99))
def test_any_content_range_is_read_or_refused(text: str, length: int) -> None:
    """Whatever a Content-Range says, it is either consistent with the body's length or a 400."""
    try:
        where = ContentRange.read(text, length)
    except PlatformError as refusal:
        assert refusal.code == 400
        return
    assert where.first is None or where.last - where.first + 1 == length
    assert where.total is None or where.last < where.total


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), min_size=1, max_size=40) | (
    st.lists(st.sampled_from(["a", "b", "..", ".", "", "x" * 256, "~", "A", "a\0", "%2F"]), min_size=1, max_size=6).map(
        "/".join
    )
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        NAMES.filter(lambda name: name not in (".", "..", "") and len(name.encode()) <= 1024),
        min_size=1,
        max_size=5,
        unique=True,
    )
)
def test_names_are_bijective_and_stay_inside(served: Served, names: list[str]) -> None:
    """Any set of names holds as many objects, each with its own bytes, and no file appears outside the platform."""
    store = served.platform.store
    for name in names:
        path = f"{UPLOAD}?uploadType=media&name={quote(name, safe='')}"
        assert served.ask("POST", path, name.encode())["name"] == name
    listed = [each["name"] for each in served.ask("GET", OBJECTS)["items"]]
    assert listed == sorted(names)
    for name in names:
        entry = store.find("cloudml-local", name)
        real = os.path.realpath(entry.path)
        assert real.startswith((str(served.places.buckets), str(served.places.side_store)))
        assert Path(real).read_bytes() == name.encode()
        assert served.send("DELETE", f"{OBJECTS}/{quote(name, safe='')}")[0] == 204
    assert served.ask("GET", OBJECTS) == {"kind": "storage#objects"}
    top = {path.name for path in served.places.buckets.parent.parent.iterdir()}
    assert top <= {"state", "data", "cache"}


def _names_point_inside(names: list[str]) -> None:
    root, places = "/data/buckets/b", set()
    for name in names:
        if is_path(root, name):
            path = f"{root}/{name}"
            assert os.path.normpath(path) == path
            assert path.startswith(root + "/")
        else:
            path = f"/data/side/b/{side_name(name)}"
        places.add(path)
    assert len(places) == len(names)


@settings(max_examples=1000, deadline=None)
@given(st.lists(NAMES, min_size=2, max_size=8, unique=True))
def test_each_name_has_a_place_of_its_own(names: list[str]) -> None:
    """Different names have different places, each beneath the bucket's folder or in the side store."""
    _names_point_inside(names)


@pytest.mark.soak
@only_in_soak
@settings(max_examples=10_000, deadline=None)
@given(st.lists(NAMES, min_size=2, max_size=8, unique=True))
def test_ten_thousand_times_each_name_has_a_place_of_its_own(names: list[str]) -> None:
    """The same, in the count that goal S9 asks for."""
    _names_point_inside(names)
