"""What grows is read from where it was read last: Google's client, the platform, and the bytes between them counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.cloud import storage
from google.oauth2.credentials import Credentials

from cloudml_magic.local_platform.address import PlatformAddress
from cloudml_magic.storage import Address, Growth, ObjectStorage
from tests.faults.proxy import Fault, FaultProxy

LINE = b'{"kind": "metric", "time": 1, "step": 1, "metrics": {"loss": 0.5}}\n'
LONG = LINE * 30_000
EVENTS = ("GET", r"/download/storage/.*events\.jsonl")


@pytest.fixture
def between(platform: PlatformAddress) -> Iterator[FaultProxy]:
    """What the client's requests pass through."""
    with FaultProxy(platform.port) as proxy:
        yield proxy


@pytest.fixture
def objects(between: FaultProxy, platform: PlatformAddress) -> ObjectStorage:
    credentials = Credentials(token=platform.token)
    client = storage.Client("local", credentials, client_options={"api_endpoint": between.endpoint})
    client._http.trust_env = False
    return ObjectStorage(lambda: client)


@pytest.fixture
def report(bucket: storage.Bucket) -> storage.Blob:
    """A long report, written past the client that reads it."""
    blob: storage.Blob = bucket.blob("jobs/a/events.jsonl")
    blob.upload_from_string(LONG)
    return blob


def address(report: storage.Blob) -> Address:
    return Address(report.bucket.name, report.name)


def first(objects: ObjectStorage, report: storage.Blob) -> Growth:
    found = objects.read_newer(address(report), None)
    assert found is not None and found.fresh == LONG
    return found


def test_only_what_is_new_comes_over_the_wire(
    objects: ObjectStorage, report: storage.Blob, between: FaultProxy
) -> None:
    """Whatever there was before, and nothing at all where nothing is new."""
    seen = first(objects, report).so_far
    for number in range(1, 4):
        report.upload_from_string(LONG + LINE * number)
        between.carried, between.requests = 0, []
        grown = objects.read_newer(address(report), seen)
        assert grown is not None
        assert (grown.fresh, grown.starts_over) == (LINE, False)
        assert between.carried == len(LINE) + 1
        seen = grown.so_far
        assert objects.read_newer(address(report), seen) is None
        assert (between.carried, len(between.requests)) == (len(LINE) + 1, 2)


def test_the_first_line_is_new_where_there_was_none(objects: ObjectStorage, report: storage.Blob) -> None:
    """An object that was empty has no part that could be asked for."""
    report.upload_from_string(b"")
    empty = objects.read_newer(address(report), None)
    assert empty is not None and empty.fresh == b""
    report.upload_from_string(LINE)
    grown = objects.read_newer(address(report), empty.so_far)
    assert grown is not None and grown.fresh == LINE


@pytest.mark.parametrize(
    "content",
    [LINE, LINE * 2 + LONG[: -2 * len(LINE) - 1] + b" ", b"[" + LONG[1:] + LINE, b"[" + LONG[1:], b""],
    ids=["shorter", "as long", "longer", "one byte of the beginning", "empty"],
)
def test_what_was_written_anew_is_read_from_its_beginning(
    objects: ObjectStorage, report: storage.Blob, content: bytes
) -> None:
    """A job that began again reports again; its checksum says so where its size does not."""
    seen = first(objects, report).so_far
    report.upload_from_string(content)
    anew = objects.read_newer(address(report), seen)
    assert anew is not None
    assert (anew.fresh, anew.starts_over) == (content, True)
    report.upload_from_string(content + LINE)
    grown = objects.read_newer(address(report), anew.so_far)
    assert grown is not None and grown.fresh == LINE


def test_the_same_content_in_a_new_version_is_nothing_new(objects: ObjectStorage, report: storage.Blob) -> None:
    """Nobody is told a line twice."""
    seen = first(objects, report).so_far
    report.upload_from_string(LONG)
    again = objects.read_newer(address(report), seen)
    assert again is not None
    assert (again.fresh, again.starts_over) == (b"", False)


def test_a_byte_that_flips_on_the_way_is_fetched_again(
    objects: ObjectStorage, report: storage.Blob, between: FaultProxy
) -> None:
    """The checksum of the whole holds for a part of it, too."""
    seen = first(objects, report).so_far
    report.upload_from_string(LONG + LINE)
    between.script(Fault("flip_response", *EVENTS, at=20))
    grown = objects.read_newer(address(report), seen)
    assert grown is not None and grown.fresh == LONG + LINE


def test_an_object_that_is_gone_is_nothing_new(objects: ObjectStorage, report: storage.Blob) -> None:
    """The job's folder may be deleted while it is watched."""
    seen = first(objects, report).so_far
    report.delete()
    assert objects.read_newer(address(report), seen) is None


@pytest.mark.parametrize(
    ("asked", "status", "answered", "said"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=8-100", 206, b"89", "bytes 8-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=10-", 416, None, "bytes */10"),
        ("lines=1-2", 200, b"0123456789", None),
    ],
)
def test_the_platform_serves_parts_as_cloud_storage_does(
    bucket: storage.Bucket, platform: PlatformAddress, asked: str, status: int, answered: bytes | None, said: str | None
) -> None:
    """With the checksum of the whole."""
    from requests import Session

    blob = bucket.blob("digits")
    blob.upload_from_string(b"0123456789")
    session = Session()
    session.trust_env = False
    answer = session.get(
        f"{platform.endpoint}/download/storage/v1/b/{bucket.name}/o/digits?alt=media",
        headers={"Range": asked, "Authorization": f"Bearer {platform.token}"},
    )
    assert (answer.status_code, answer.headers.get("Content-Range")) == (status, said)
    if answered is not None:
        assert answer.content == answered
        assert f"crc32c={blob.crc32c}" in answer.headers["X-Goog-Hash"]
