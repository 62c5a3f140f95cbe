"""The official google-cloud-storage client against the platform, unmodified but for address and credentials."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import Conflict, NotFound, NotModified, PreconditionFailed, RequestRangeNotSatisfiable
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from google.cloud.storage import transfer_manager
from google.oauth2.credentials import Credentials

from cloudml_magic.discovery import document, violations

from .conftest import TOKEN, Served


@pytest.fixture
def client(served: Served) -> storage.Client:
    made = storage.Client(
        project="local", credentials=Credentials(token=TOKEN), client_options={"api_endpoint": served.endpoint}
    )
    plain = made._connection.api_request

    def checked(**request: Any) -> Any:
        answer = plain(**request)
        kind = answer.get("kind", "") if isinstance(answer, dict) else ""
        schema = {
            "storage#object": "Object",
            "storage#bucket": "Bucket",
            "storage#objects": "Objects",
            "storage#buckets": "Buckets",
            "storage#rewriteResponse": "RewriteResponse",
        }
        if kind:
            assert violations(document("storage.v1"), schema[kind], answer) == []
        return answer

    made._connection.api_request = checked
    return made


@pytest.fixture
def bucket(client: storage.Client) -> storage.Bucket:
    return client.bucket("cloudml-local")


def test_buckets_are_made_listed_changed_and_removed(client: storage.Client) -> None:
    """A bucket is a resource with labels; a second of the same name is a conflict, a full one is not deleted."""
    made = client.create_bucket("flowers-data", location="us-central1")
    made.labels = {"team": "a"}
    made.patch()
    assert client.get_bucket("flowers-data").labels == {"team": "a"}
    assert [each.name for each in client.list_buckets()] == ["cloudml-local", "flowers-data"]
    with pytest.raises(Conflict):
        client.create_bucket("flowers-data")
    made.blob("a/b").upload_from_string("x")
    with pytest.raises(Conflict, match="not empty"):
        made.delete()
    made.delete(force=True)
    with pytest.raises(NotFound):
        client.get_bucket("flowers-data")


def test_small_objects_go_and_come_whole(bucket: storage.Bucket, served: Served) -> None:
    """A multipart upload is a file in the bucket's folder, with checksums, type and metadata as sent."""
    blob = bucket.blob("folder/grüße.txt")
    blob.metadata = {"color": "röt"}
    blob.cache_control = "no-store"
    blob.upload_from_string("häll", content_type="text/plain; charset=utf-8")
    assert (served.places.buckets / "cloudml-local" / "folder" / "grüße.txt").read_text() == "häll"
    again = bucket.get_blob("folder/grüße.txt")
    assert (again.metadata, again.cache_control, again.content_type, again.size) == (
        {"color": "röt"},
        "no-store",
        "text/plain; charset=utf-8",
        5,
    )
    assert again.download_as_text() == "häll"
    assert again.generation == blob.generation
    again.metadata = {"size": "small", "color": None}
    again.patch()
    bucket.blob("empty").upload_from_string(b"")
    assert bucket.blob("empty").download_as_bytes() == b""
    fresh = bucket.get_blob("folder/grüße.txt")
    assert (fresh.metadata, fresh.metageneration, fresh.generation) == ({"size": "small"}, 2, blob.generation)


def test_large_objects_go_in_pieces(bucket: storage.Bucket, tmp_path: Path) -> None:
    """Above 8 MiB the client uploads resumably, in one piece or several, and reads ranges back."""
    content = os.urandom(9 * 1024 * 1024 + 17)
    (tmp_path / "big").write_bytes(content)
    bucket.blob("big").upload_from_filename(tmp_path / "big")
    chunked = bucket.blob("chunked", chunk_size=1024 * 1024)
    chunked.upload_from_file(io.BytesIO(content), size=len(content))
    unknown = bucket.blob("unknown", chunk_size=4 * 1024 * 1024)
    with unknown.open("wb") as file:
        file.write(content)
    for name in ("big", "chunked", "unknown"):
        assert bucket.blob(name).download_as_bytes() == content
    assert bucket.blob("big").download_as_bytes(start=100, end=199) == content[100:200]
    assert bucket.blob("big").download_as_bytes(start=-7) == content[-7:]
    assert bucket.get_blob("big").crc32c == bucket.get_blob("chunked").crc32c
    with pytest.raises(RequestRangeNotSatisfiable):
        bucket.blob("big").download_as_bytes(start=len(content) + 1)


def test_transfer_manager_moves_many_files(bucket: storage.Bucket, tmp_path: Path) -> None:
    """Google's transfer manager uploads and downloads a folder, and a large file in concurrent ranges."""
    names = [f"part-{number}.bin" for number in range(20)]
    for name in names:
        (tmp_path / name).write_bytes(name.encode() * 100)
    results = transfer_manager.upload_many_from_filenames(
        bucket, names, source_directory=str(tmp_path), worker_type=transfer_manager.THREAD, max_workers=4,
        blob_name_prefix="many/", raise_exception=True,
    )  # fmt: skip
    assert results == [None] * 20
    target = tmp_path / "back"
    transfer_manager.download_many_to_path(
        bucket, names, str(target), blob_name_prefix="many/", worker_type=transfer_manager.THREAD, raise_exception=True
    )
    assert (target / "part-7.bin").read_bytes() == b"part-7.bin" * 100
    content = os.urandom(5 * 1024 * 1024)
    bucket.blob("large").upload_from_string(content)
    transfer_manager.download_chunks_concurrently(
        bucket.blob("large"), str(tmp_path / "large"), chunk_size=1024 * 1024, worker_type=transfer_manager.THREAD
    )
    assert (tmp_path / "large").read_bytes() == content


def test_preconditions_hold(bucket: storage.Bucket) -> None:
    """Every generation and metageneration condition is kept, on writes, reads and deletes."""
    blob = bucket.blob("a")
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string("x", if_generation_match=5)
    blob.upload_from_string("1", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        bucket.blob("a").upload_from_string("2", if_generation_match=0)
    first = blob.generation
    bucket.blob("a").upload_from_string("2", if_generation_match=first)
    with pytest.raises(PreconditionFailed):
        bucket.blob("a").delete(if_generation_match=first)
    with pytest.raises(PreconditionFailed):
        bucket.blob("a").download_as_bytes(if_generation_match=first)
    with pytest.raises(NotFound):
        bucket.blob("a", generation=first).download_as_bytes()
    current = bucket.get_blob("a")
    with pytest.raises(NotModified):
        bucket.blob("a").download_as_bytes(if_generation_not_match=current.generation)
    with pytest.raises(PreconditionFailed):
        bucket.blob("a").delete(if_metageneration_match=9)
    assert current.generation > first
    bucket.blob("a").delete(if_generation_match=current.generation)
    with pytest.raises(NotFound):
        bucket.blob("a").delete()


def test_sixteen_racing_creators_have_one_winner(client: storage.Client, bucket: storage.Bucket) -> None:
    """Of sixteen who create the same object on condition that there is none, one wins and its bytes stay."""
    won: list[int] = []

    def create(number: int) -> None:
        try:
            bucket.blob("race").upload_from_string(f"writer {number}", if_generation_match=0)
            won.append(number)
        except PreconditionFailed:
            pass

    threads = [threading.Thread(target=create, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert bucket.blob("race").download_as_text() == f"writer {won[0]}"


def test_objects_are_copied_rewritten_composed(bucket: storage.Bucket, client: storage.Client) -> None:
    """Copy, rewrite and compose make whole new objects; sources stay."""
    bucket.blob("a").upload_from_string("one,", content_type="text/csv")
    bucket.blob("b").upload_from_string("two")
    other = client.create_bucket("other-bucket")
    copied = bucket.copy_blob(bucket.blob("a"), other, "copies/a")
    assert (copied.download_as_text(), copied.content_type) == ("one,", "text/csv")
    rewritten = bucket.blob("r")
    token, written, total = rewritten.rewrite(bucket.blob("b"))
    assert (token, written, total) == (None, 3, 3)
    joined = bucket.blob("joined")
    joined.compose([bucket.blob("a"), bucket.blob("b"), bucket.blob("a")])
    assert joined.download_as_text() == "one,twoone,"
    assert bucket.get_blob("joined").component_count == 3
    with pytest.raises(PreconditionFailed):
        joined.compose([bucket.blob("a")], if_generation_match=0)
    renamed = bucket.rename_blob(bucket.blob("b"), "c")
    assert renamed.download_as_text() == "two"
    assert not bucket.blob("b").exists()


def test_lists_have_prefix_delimiter_offsets_and_pages(bucket: storage.Bucket) -> None:
    """Lists come in the order of names, cut at the delimiter, between offsets, page by page."""
    names = ["a", "a.txt", "a/b", "a/c/d", "a0", "b//c", "b/é", "c"]
    for name in names:
        bucket.blob(name).upload_from_string(name)

    def listed(**options: Any) -> tuple[list[str], list[str]]:
        found = bucket.list_blobs(**options)
        return [blob.name for blob in found], sorted(found.prefixes)

    assert listed() == (names, [])
    assert listed(page_size=3) == (names, [])
    assert listed(delimiter="/") == (["a", "a.txt", "a0", "c"], ["a/", "b/"])
    assert listed(delimiter="/", page_size=1) == (["a", "a.txt", "a0", "c"], ["a/", "b/"])
    assert listed(prefix="a/", delimiter="/") == (["a/b"], ["a/c/"])
    assert listed(prefix="a/c") == (["a/c/d"], [])
    assert listed(prefix="b/", delimiter="/") == (["b/é"], ["b//"])
    assert listed(start_offset="a/c", end_offset="b/") == (["a/c/d", "a0"], [])
    assert listed(prefix="nothing/at/all") == ([], [])
    assert listed(max_results=2) == (names[:2], [])


def test_what_a_job_writes_is_an_object_at_once(bucket: storage.Bucket, served: Served) -> None:
    """Files are the truth: written ones appear, changed ones have a new generation, deleted ones are gone."""
    folder = served.places.buckets / "cloudml-local" / "jobs" / "x"
    folder.mkdir(parents=True)
    (folder / "m.json").write_text("{}")
    blob = bucket.get_blob("jobs/x/m.json")
    assert (blob.content_type, blob.size, blob.download_as_text()) == ("application/json", 2, "{}")
    before = blob.generation
    for text in ("[]", "{}", "[1]", "[2]"):
        (folder / "m.json").write_text(text)
        blob = bucket.get_blob("jobs/x/m.json")
        assert blob.generation > before
        assert blob.download_as_text() == text
        before = blob.generation
    assert bucket.get_blob("jobs/x/m.json").generation == before
    (folder / "m.json").unlink()
    assert bucket.get_blob("jobs/x/m.json") is None
    assert list(bucket.list_blobs(prefix="jobs/")) == []


def test_names_that_are_no_path_live_too(bucket: storage.Bucket, served: Served) -> None:
    """`a` beside `a/b`, doubled slashes, dots, folder markers and over-long parts are objects like others."""
    names = ["a", "a/b", "a//b", "/a", "../../../etc/passwd", "m/", "m/n", "x" * 300, "nul\0nul", "a/./b"]
    for name in names:
        bucket.blob(name).upload_from_string(name)
    assert [blob.name for blob in bucket.list_blobs()] == sorted(names)
    for name in names:
        assert bucket.blob(name).download_as_text() == name
    outside = {path for path in served.places.data.rglob("*") if path.is_file()}
    assert all("side" in path.parts or "buckets" in path.parts for path in outside)
    for name in names:
        bucket.blob(name).delete()
    assert list(bucket.list_blobs()) == []
    assert list((served.places.buckets / "cloudml-local").iterdir()) == []


def test_links_lead_nowhere(bucket: storage.Bucket, served: Served, tmp_path: Path) -> None:
    """A symbolic link in a bucket is no object, is not read through and not written through."""
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("hidden")
    root = served.places.buckets / "cloudml-local"
    (root / "folder").symlink_to(secret)
    (root / "file").symlink_to(secret / "key")
    assert list(bucket.list_blobs()) == []
    assert bucket.get_blob("folder/key") is None
    assert bucket.get_blob("file") is None
    bucket.blob("folder/key").upload_from_string("mine")
    bucket.blob("file").upload_from_string("mine too")
    assert (secret / "key").read_text() == "hidden"
    assert bucket.blob("folder/key").download_as_text() == "mine"
    assert [blob.name for blob in bucket.list_blobs()] == ["file", "folder/key"]


def test_strangers_get_403_and_no_refresh(served: Served) -> None:
    """Without the token Google's client is told 403, at which it does not try to refresh."""
    from google.api_core.exceptions import Forbidden

    stranger = storage.Client(
        project="p", credentials=AnonymousCredentials(), client_options={"api_endpoint": served.endpoint}
    )
    with pytest.raises(Forbidden, match="token"):
        stranger.get_bucket("cloudml-local")
