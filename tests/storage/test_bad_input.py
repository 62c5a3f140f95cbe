"""Names, links, changes and damage: clear, and nothing lost or half overwritten."""

from __future__ import annotations

import errno
import io
import os
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.cloud import storage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudml_magic import files
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.files import progress
from cloudml_magic.pipeline.files.location import Location, checked_path
from cloudml_magic.storage import downloads, local_files, standings, uploader
from cloudml_magic.storage.local_files import files_beneath
from cloudml_magic.storage.wildcards import Wildcards
from tests.storage.conftest import names

Say = Callable[[str], str]
_PART = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/"), min_size=1, max_size=40)
NAMES = st.lists(_PART.filter(lambda part: part not in (".", "..")), min_size=1, max_size=4).map("/".join)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES)
def test_any_name_goes_up_and_comes_back(here: Path, bucket: storage.Bucket, name: str) -> None:
    """Spaces, signs and emoji are names like others; Google's client finds each under exactly its own."""
    file = here / "up" / name
    if any(len(part.encode()) > 255 for part in name.split("/")):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(name.encode())
    files.synchronise(here / "up", f"gs://{bucket.name}/d")
    assert bucket.blob(f"d/{name}").download_as_bytes() == name.encode()
    files.synchronise(f"gs://{bucket.name}/d", here / "down")
    assert (here / "down" / name).read_bytes() == name.encode()
    files.remove(f"gs://{bucket.name}/d", recursive=True)
    for folder in ("up", "down"):
        for each in sorted((here / folder).rglob("*"), reverse=True):
            each.unlink() if each.is_file() else each.rmdir()


@given(name=st.text(max_size=60))
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    """Whatever an object is called, its file lies beneath the folder, or there is none."""
    try:
        path = checked_path("/there", name)
    except CloudMLError as problem:
        assert problem.reference == "bad-file-name"
        return
    assert os.path.normpath(path) == path and (path == "/there" or path.startswith("/there/"))


@given(name=st.text(st.characters(exclude_characters="\n\r"), max_size=20))
def test_a_pattern_without_signs_is_the_name_itself(name: str) -> None:
    """And one with signs never fails to be read."""
    expression = Wildcards(name).expression()
    if not set(name) & set("*?["):
        found = expression.match(name)
        assert found is not None and found[1] == name


@pytest.mark.parametrize("name", ["../x", "/x", "a//b", "a/../../x", "."])
def test_objects_whose_names_are_no_path_are_said_and_the_others_come(
    say: Say, here: Path, bucket: storage.Bucket, name: str
) -> None:
    """Nothing is written outside the folder."""
    if name != ".":
        bucket.blob(f"d/{name}").upload_from_string("evil")
    bucket.blob("d/good").upload_from_string("good")
    if name == ".":
        say(f"cp -r gs://{bucket.name}/d in")
    else:
        with pytest.raises(CloudMLError) as caught:
            say(f"cp -r gs://{bucket.name}/d in")
        assert str(caught.value) == (
            "1 of 2 could not be copied; the others are.\n"
            f"  Why:  The object {name!r} cannot be a file here. Its name leads out of the folder, or is no path of this machine.\n"
            "  Next: Mend these and run the line again: what is there already is not sent again.\n"
            "[partly-done]"
        )
    assert [path.relative_to(here).as_posix() for path in here.rglob("*")] == ["in", "in/good"]


@pytest.mark.parametrize("name", ["../x", "/x", "a//b", "a/../../x", "a b", "#?&%2F", "🌱/ü", "x" * 1024, "a/"])
def test_any_object_is_listed_read_copied_and_deleted_by_its_name(
    platform: object, bucket: storage.Bucket, name: str
) -> None:
    """Within a bucket a name is a name, whether or not a file here could have it."""
    at = f"gs://{bucket.name}"
    for each in (name, "other"):
        bucket.blob(each).upload_from_string(each)
    assert [line.address for line in files.listed(at, recursive=True)] == sorted([f"{at}/{name}", f"{at}/other"])
    assert sum(size for _, size in files.sizes(at)) == len(name.encode()) + 5
    if not name.endswith("/"):
        assert b"".join(files.read(f"{at}/{name}")) == name.encode()
        files.copy(f"{at}/{name}", f"{at}/copied")
        assert bucket.blob("copied").download_as_bytes() == name.encode()
        assert files.remove(f"{at}/{name}") == 1
        assert names(bucket) == ["copied", "other"]
    assert files.remove(at, recursive=True) == 2
    assert not bucket.exists()


def test_names_as_long_as_they_may_be_and_longer(say: Say, here: Path, bucket: storage.Bucket) -> None:
    """1,024 bytes of UTF-8 go up; one more is said, and the others go."""
    longest = Path("d", *["x" * 250] * 3, "é" * 100, "y" * (1024 - 2 - 3 * 251 - 201))
    (here / longest).parent.mkdir(parents=True)
    for name in (longest, Path(f"{longest}y")):
        (here / name).write_text("x")
    assert len(str(longest).encode()) == 1024
    with pytest.raises(CloudMLError, match=r"1 of 2 could not be copied.*\n.*It has 1,025 bytes; 1,024 is the most."):
        say(f"cp -r d gs://{bucket.name}")
    assert names(bucket) == [str(longest)]


def test_what_is_no_utf_8_and_line_breaks_are_said(say: Say, here: Path, bucket: storage.Bucket) -> None:
    """A bucket has no such names."""
    (here / "d").mkdir()
    for name in (b"\xff", b"a\nb", b"good"):
        (here / "d" / os.fsdecode(name)).write_text("x")
    with pytest.raises(CloudMLError, match="2 of 3 could not be copied"):
        say(f"cp -r d gs://{bucket.name}")
    assert names(bucket) == ["d/good"]


def test_links_and_loops(say: Say, here: Path, bucket: storage.Bucket) -> None:
    """A link to a file is a file; a folder is not followed through links, so that no loop has no end."""
    (here / "d/e").mkdir(parents=True)
    (here / "d/e/file").write_text("x")
    (here / "d/link").symlink_to("e/file")
    (here / "d/e/up").symlink_to("..")
    (here / "d/broken").symlink_to("nowhere")
    os.mkfifo(here / "d/pipe")
    (here / "d/empty").mkdir()
    out = say(f"cp -r d gs://{bucket.name}")
    assert out.startswith("Copied 2 files") and out.rstrip().endswith(
        "left out: 1 × empty folder, 1 × link to a folder, 1 × link to nothing, 1 × special file"
    )
    assert names(bucket) == ["d/e/file", "d/link"]


def test_an_object_named_like_a_pattern_is_found_by_its_name(say: Say, here: Path, bucket: storage.Bucket) -> None:
    """And so is a file."""
    for name in ("a*", "ab", "a[b]"):
        bucket.blob(name).upload_from_string(name)
    assert say(f"cat gs://{bucket.name}/a*") == "a*\n"
    say(f"rm gs://{bucket.name}/a[b] --yes")
    assert names(bucket) == ["a*", "ab"]
    (here / "f?").write_text("x")
    (here / "fx").write_text("x")
    say(f"cp f? gs://{bucket.name}/up/")
    assert names(bucket)[2:] == ["up/f?"]


def test_two_things_never_become_one(say: Say, here: Path, bucket: storage.Bucket) -> None:
    """A pattern that flattens folders does not overwrite one file by another of its name."""
    for name in ("a/x", "b/x"):
        bucket.blob(name).upload_from_string(name)
    with pytest.raises(CloudMLError) as caught:
        say(f"cp gs://{bucket.name}/** .")
    assert str(caught.value) == (
        "Several of what is copied would become 'x'.\n"
        "  Why:  Folders of what `**` and `*` match are not made at the target.\n"
        "  Next: Copy the folder itself with -r, which keeps the folders in it.\n"
        "[same-target]"
    )


def test_a_file_that_changes_in_mid_upload_is_not_stored(
    say: Say, here: Path, bucket: storage.Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the old nor the new one would be whole; what stood there stays."""
    bucket.blob("big").upload_from_string("before")
    file = here / "big"
    file.write_bytes(os.urandom(3 << 20))
    monkeypatch.setattr(uploader, "_ONE_REQUEST_BYTES", 1 << 20)
    read = os.pread

    def changing(descriptor: int, size: int, offset: int) -> bytes:
        content = read(descriptor, size, offset)
        with file.open("ab") as other:
            other.write(b"more")
        return content

    monkeypatch.setattr(os, "pread", changing)
    with pytest.raises(CloudMLError) as caught:
        say(f"cp big gs://{bucket.name}")
    assert str(caught.value) == (
        f"{file} changes while it is read.\n"
        "  Why:  What would be stored is neither the old file nor the new one.\n"
        "  Next: Copy it again when nothing writes to it any more. Nothing was stored of it.\n"
        "[file-changed]"
    )
    assert bucket.blob("big").download_as_bytes() == b"before"
    monkeypatch.setattr(uploader, "_ONE_REQUEST_BYTES", 8 << 20)
    with pytest.raises(CloudMLError, match="changes while it is read"):
        say(f"cp big gs://{bucket.name}")
    assert bucket.blob("big").download_as_bytes() == b"before"


def test_a_full_disk_leaves_nothing_half(
    say: Say, here: Path, bucket: storage.Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has arrived stays, the file that found no room is not there, and the rest is not tried."""
    for number in range(5):
        bucket.blob(f"d/{number}").upload_from_string("x" * 1000)

    class Full(io.FileIO):
        def write(self, content: Any) -> int:
            super().write(content[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def opened(path: str, mode: str) -> Any:
        return (Full if "/.3." in path else io.FileIO)(path, mode.replace("b", ""))

    with monkeypatch.context() as patched, pytest.raises(CloudMLError) as caught:
        patched.setattr(downloads, "open", opened, raising=False)
        say(f"cp -r gs://{bucket.name}/d .")
    assert str(caught.value) == (
        "There is no room for ./d/3.\n"
        "  Why:  No space left on device\n"
        "  Next: Make room and run the line again: what has arrived stays, and nothing half is left.\n"
        "[disk-full]"
    )
    assert all(path.read_text() == "x" * 1000 for path in here.glob("d/[0-9]"))
    say(f"cp -r gs://{bucket.name}/d .")
    assert sorted(path.name for path in (here / "d").iterdir()) == list("01234")


def test_a_folder_of_very_many_files_is_never_held_as_a_whole(here: Path) -> None:
    """It comes file by file: the first ones are there before the last ones are looked at."""
    many = here / "many"
    many.mkdir()
    for number in range(20_000):
        os.close(os.open(many / f"{number:05}", os.O_CREAT | os.O_WRONLY))
    tracemalloc.start()
    assert sum(1 for _ in files_beneath(str(many), lambda _: None)) == 20_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_an_interrupted_deletion_goes_on(say: Say, bucket: storage.Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was deleted is gone, the rest is there, and the same line deletes it."""
    for number in range(40):
        bucket.blob(f"d/{number:02}").upload_from_string("")
    delete, ten = storage.Blob.delete, threading.Semaphore(10)

    def interrupted(blob: storage.Blob, **how: Any) -> None:
        if not ten.acquire(blocking=False):
            raise KeyboardInterrupt
        delete(blob, **how)

    with monkeypatch.context() as patched, pytest.raises(CloudMLError) as caught:
        patched.setattr(storage.Blob, "delete", interrupted)
        say(f"rm -r gs://{bucket.name}/d --yes")
    assert str(caught.value) == (
        f"The deletion of gs://{bucket.name}/d was interrupted.\n"
        "  Why:  What was deleted until then is gone; the rest is there.\n"
        "  Next: Run the line again to delete the rest.\n"
        "[interrupted]"
    )
    assert len(names(bucket)) >= 30
    say(f"rm -r gs://{bucket.name}/d --yes")
    assert names(bucket) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("cp none gs://B", "There is no none.\n  Next: Look at its spelling.\n[nothing-found]"),
        ("cp d gs://B", "d is a folder.\n  Next: Say -r to take everything in it.\n[is-a-folder]"),
        ("cp d e", "Neither side is in a bucket.\n  Next: Write a bucket's address as gs://BUCKET/NAME; between folders"
         " of this machine, use `!cp`.\n[no-bucket-named]"),
        ("cat gs://B/none", "There is no gs://B/none.\n  Next: `%ml_storage ls` shows what there is.\n[nothing-found]"),
        ("cat d", "'d' is no bucket address.\n  Next: Write it as gs://BUCKET/NAME.\n[bad-address]"),
        ("cp gs://B/x gs://B/y none", "none is no folder.\n  Why:  Several files are copied there.\n  Next: Make it first,"
         " or write it with a slash at its end: none/\n[not-a-folder]"),
        ("ls gs://no-such-bucket-1", "There is no bucket gs://no-such-bucket-1.\n  Why:  The address names it, but it does"
         " not exist where you are connected to, or not for you.\n  Next: Check the bucket's name; `cloudml doctor` shows"
         " where you are connected to.\n[no-bucket]"),
    ],
)  # fmt: skip
def test_slips_are_answered(say: Say, here: Path, bucket: storage.Bucket, line: str, said: str) -> None:
    """What is not there, and what is meant instead."""
    (here / "d").mkdir()
    for name in "xy":
        bucket.blob(name).upload_from_string("")
    with pytest.raises(CloudMLError) as caught:
        say(line.replace("gs://B", f"gs://{bucket.name}"))
    assert str(caught.value) == said.replace("gs://B/", f"gs://{bucket.name}/")


def test_a_location_is_a_folder_by_its_slash() -> None:
    """Or because it is a bucket, or a folder by its very name."""
    assert [Location.parse(text).is_folder for text in ("gs://b", "gs://b/x/", "gs://b/x", "x/", "x", ".", "a/..")] == [
        True, True, False, True, False, True, True,
    ]  # fmt: skip
    assert local_files.file_at("\0") is None


def test_a_listing_of_very_many_objects_is_mostly_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """And answers as a small one does."""
    monkeypatch.setattr(standings, "_MOST_HELD", 1000)
    item = {"size": "1", "crc32c": "AAAAAA==", "generation": "7"}
    pages = ([{"name": f"{page:03}{number:03}", **item} for number in range(1000)] for page in range(5))
    there = standings.Standings(pages)
    assert len(there._held) == 1000
    assert set(there.of(["000000", "004999", "none"])) == {"000000", "004999"}
    assert there.of(["004999"])["004999"] == standings.Standing(1, "AAAAAA==", 7)
    assert sum(1 for _ in there.all()) == 5000


def test_sending_five_times_as_many_files_takes_no_more_memory(
    here: Path, bucket: storage.Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All the way from the folder to the bucket; what is held of a file takes about a kilobyte."""
    monkeypatch.setattr(progress, "_LOOK_AHEAD", 100)
    peaks = {}
    for count in (300, 1500):
        folder = here / str(count)
        folder.mkdir()
        for number in range(count):
            os.close(os.open(folder / f"{number:05}", os.O_CREAT | os.O_WRONLY))
        if not peaks:
            # Connections and what is loaded at the first use are no matter of how many files there are.
            files.copy(folder, f"gs://{bucket.name}/before", recursive=True)
        tracemalloc.start()
        assert files.copy(folder, f"gs://{bucket.name}/up/", recursive=True).files == count
        _, peaks[count] = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peaks[1500] - peaks[300] < 300_000
