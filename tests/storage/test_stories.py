"""What a notebook user does with buckets, read by Google's own client and the reverse."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from google.cloud import storage

from cloudml_magic import files
from cloudml_magic.errors import CloudMLError
from tests.storage.conftest import names

Say = Callable[[str], str]
BIG = 20_000_003


def seedlings(here: Path) -> Path:
    """A folder as in the tutorials: classes with pictures, and what else lies about."""
    for name in ("Train/maize/1.png", "Train/maize/2.png", "Train/Fat Hen/ä #1?.png", "Train/labels.csv"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_bytes(name.encode() * 100)
    return here / "Train"


TRAIN = ["Train/Fat Hen/ä #1?.png", "Train/labels.csv", "Train/maize/1.png", "Train/maize/2.png"]


def test_a_folder_goes_up_and_googles_client_reads_it(say: Say, here: Path, bucket: storage.Bucket) -> None:
    """Names, bytes and content types are as Google's own client would have stored them."""
    seedlings(here)
    assert say(f"cp -r Train gs://{bucket.name}/").startswith("Copied 4 files, 7.4 KB, in ")
    assert names(bucket) == TRAIN
    for name in TRAIN:
        assert bucket.blob(name).download_as_bytes(checksum="crc32c") == (here / name).read_bytes()
    assert bucket.get_blob("Train/maize/1.png").content_type == "image/png"
    assert bucket.get_blob("Train/labels.csv").content_type == "text/csv"


def test_what_googles_client_stored_comes_down(say: Say, here: Path, bucket: storage.Bucket) -> None:
    """A folder, its markers included, as the user's umask wants it."""
    bucket.blob("data/a/x.txt").upload_from_string("one")
    bucket.blob("data/b.txt").upload_from_string("two")
    bucket.blob("data/empty/").upload_from_string("")
    say(f"cp -r gs://{bucket.name}/data .")
    assert {path.relative_to(here).as_posix() for path in here.rglob("*")} == {
        "data", "data/a", "data/a/x.txt", "data/b.txt", "data/empty",
    }  # fmt: skip
    assert (here / "data/a/x.txt").read_text() == "one"
    mask = os.umask(0o022)
    os.umask(mask)
    assert (here / "data/b.txt").stat().st_mode & 0o777 == 0o666 & ~mask


def test_an_unchanged_folder_is_not_sent_again_and_a_changed_file_is(
    say: Say, here: Path, bucket: storage.Bucket
) -> None:
    """By generations: what was there stays as it was."""
    seedlings(here)
    say(f"cp -r Train gs://{bucket.name}")
    before = {blob.name: blob.generation for blob in bucket.list_blobs()}
    (here / "Train/labels.csv").write_text("new")
    out = say(f"cp -r Train gs://{bucket.name}")
    assert out.startswith("Copied 1 file, 3 B,") and "3 there already" in out
    after = {blob.name: blob.generation for blob in bucket.list_blobs()}
    assert {name for name in after if after[name] != before[name]} == {"Train/labels.csv"}


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("cp Train/labels.csv gs://B/x", ["old/1", "x"]),
        ("cp Train/labels.csv gs://B/x/", ["old/1", "x/labels.csv"]),
        ("cp Train/labels.csv gs://B", ["labels.csv", "old/1"]),
        ("cp Train/labels.csv gs://B/old", ["old/1", "old/labels.csv"]),
        ("cp -r Train/maize gs://B/x", ["old/1", "x/1.png", "x/2.png"]),
        ("cp -r Train/maize gs://B/x/", ["old/1", "x/maize/1.png", "x/maize/2.png"]),
        ("cp -r Train/maize gs://B/old", ["old/1", "old/maize/1.png", "old/maize/2.png"]),
        ("cp -r Train/maize/ gs://B", ["maize/1.png", "maize/2.png", "old/1"]),
        ("cp Train/maize/1.png Train/labels.csv gs://B/x", ["old/1", "x/1.png", "x/labels.csv"]),
        ("cp Train/*/[12].png gs://B/x", ["old/1", "x/1.png", "x/2.png"]),
        ("cp Train/**/*.csv gs://B/x", ["old/1", "x/labels.csv"]),
        ("cp Train/* gs://B/x", ["old/1", "x/labels.csv"]),
        ("rsync -r Train/maize gs://B/old", ["old/1", "old/1.png", "old/2.png"]),
        ("rsync -r -d --yes Train/maize gs://B/old", ["old/1.png", "old/2.png"]),
        ("cp -r gs://B/old gs://B/new", ["new/1", "old/1"]),
        ("cp -r gs://B/o* gs://B/new/", ["new/old/1", "old/1"]),
        ("mv gs://B/old/1 gs://B/new", ["new"]),
        ("rsync -r gs://B/old gs://B/new", ["new/1", "old/1"]),
    ],
)
def test_where_a_copy_lands(say: Say, here: Path, bucket: storage.Bucket, line: str, made: list[str]) -> None:
    """The rules that users of gsutil know; there is a folder gs://B/old/ already."""
    seedlings(here)
    bucket.blob("old/1").upload_from_string("there")
    say(line.replace("gs://B", f"gs://{bucket.name}"))
    assert names(bucket) == made


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("cp gs://B/d/a.txt .", ["a.txt"]),
        ("cp gs://B/d/a.txt new.txt", ["new.txt"]),
        ("cp gs://B/d/a.txt new/", ["new/a.txt"]),
        ("cp -r gs://B/d there", ["there/a.txt", "there/e/b.txt"]),
        ("cp -r gs://B/d .", ["d/a.txt", "d/e/b.txt"]),
        ("cp -r gs://B there", ["there/d/a.txt", "there/d/e/b.txt"]),
        ("cp gs://B/**.txt .", ["a.txt", "b.txt"]),
        ("cp gs://B/d/*.txt .", ["a.txt"]),
        ("rsync -r gs://B/d .", ["a.txt", "e/b.txt"]),
        ("rsync gs://B/d .", ["a.txt"]),
    ],
)
def test_where_a_download_lands(say: Say, here: Path, bucket: storage.Bucket, line: str, made: list[str]) -> None:
    """As in the other direction."""
    for name in ("d/a.txt", "d/e/b.txt"):
        bucket.blob(name).upload_from_string(name)
    say(line.replace("gs://B", f"gs://{bucket.name}"))
    assert sorted(path.relative_to(here).as_posix() for path in here.rglob("*") if path.is_file()) == made


def test_a_large_file_goes_up_and_comes_back(say: Say, here: Path, bucket: storage.Bucket) -> None:
    """In blocks, with one checksum over all."""
    (here / "big").write_bytes(os.urandom(BIG))
    assert say(f"cp big gs://{bucket.name}").startswith("Copied 1 file, 20.0 MB, in ")
    assert "1 there already" in say(f"cp big gs://{bucket.name}")
    say(f"cp gs://{bucket.name}/big back")
    assert (here / "big").read_bytes() == (here / "back").read_bytes()


def test_moving_takes_the_source_away(say: Say, here: Path, bucket: storage.Bucket) -> None:
    """Files once they have arrived, and the folders that are left empty; downwards objects."""
    seedlings(here)
    assert say(f"mv -r Train gs://{bucket.name}/").startswith("Moved 4 files")
    assert names(bucket) == TRAIN and list(here.iterdir()) == []
    say(f"mv -r gs://{bucket.name}/Train back")
    assert names(bucket) == [] and (here / "back/maize/1.png").exists()


def test_listing_summing_and_reading(say: Say, here: Path, bucket: storage.Bucket) -> None:
    """Lines as a terminal's user expects them."""
    seedlings(here)
    at = f"gs://{bucket.name}"
    say(f"cp -r Train {at}")
    assert f"{at}/" in say("ls").splitlines()
    assert say(f"ls {at}/Train").splitlines() == [
        f"{at}/Train/Fat Hen/", f"{at}/Train/maize/", f"{at}/Train/labels.csv",
    ]  # fmt: skip
    assert say(f"ls -r {at}").splitlines() == [f"{at}/{name}" for name in TRAIN]
    assert say(f"ls {at}/Train/*/[1-9].png").splitlines() == [f"{at}/Train/maize/1.png", f"{at}/Train/maize/2.png"]
    assert say(f"ls -l {at}/Train/labels.csv").splitlines()[0].split()[0] == "1,600"
    assert say(f"ls -l -r {at}").splitlines()[-1] == "4 objects, 7.4 KB"
    assert say(f"du {at}/Train").splitlines()[-1] == f"    7.4 KB  {at}/Train in all"
    assert len(say(f"du {at}/Train").splitlines()) == 4
    bucket.blob("text").upload_from_string("grün\x1b[31m\n".encode())
    assert say(f"cat {at}/text") == "grün\n\n"


def test_deleting_asks(say: Say, here: Path, bucket: storage.Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """A single object goes at once; a folder, a pattern and a bucket only after a yes."""
    at = f"gs://{bucket.name}"
    for name in ("a", "b/1", "b/2", "c"):
        bucket.blob(name).upload_from_string("")
    say(f"rm {at}/a")
    asked = []
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or "n")
    for line in (f"rm -r {at}/b", f"rm {at}/*", f"rb {at}", f"rm -r {at}"):
        with pytest.raises(CloudMLError, match="Nothing was deleted"):
            say(line)
    assert asked == [
        f"Delete everything in {at}/b? [y/N] ",
        f"Delete {at}/*? [y/N] ",
        f"Delete the bucket {at}? [y/N] ",
        f"Delete everything in {at}, and the bucket itself? [y/N] ",
    ]
    assert names(bucket) == ["b/1", "b/2", "c"]
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert say(f"rm -r {at}/b") == "Deleted 2 objects.\n"
    assert say(f"rm -r {at} --yes") == "Deleted 1 object and the bucket.\n"
    assert not bucket.exists()


def test_buckets_are_made_and_removed(say: Say, google: storage.Client) -> None:
    """Private, and only empty ones are removed."""
    assert say("mb gs://mine-1") == "Made gs://mine-1.\n"
    made = google.get_bucket("mine-1")
    assert made.iam_configuration.public_access_prevention == "enforced"
    made.blob("x").upload_from_string("x")
    with pytest.raises(CloudMLError) as caught:
        say("rb gs://mine-1 --yes")
    assert str(caught.value) == (
        "gs://mine-1 is not empty.\n"
        "  Why:  Only an empty bucket can be deleted.\n"
        "  Next: `%ml_storage rm -r gs://mine-1` deletes what is in it, and the bucket itself.\n"
        "[bucket-not-empty]"
    )
    with pytest.raises(CloudMLError, match=r"gs://mine-1 is yours already."):
        say("mb mine-1")
    made.blob("x").delete()
    assert say("rb gs://mine-1 --yes") == "Deleted gs://mine-1.\n"


def test_tab_completes_actions_buckets_folders_and_objects(say: Say, here: Path, bucket: storage.Bucket) -> None:
    """Also where the shell cuts words at colons and signs of its own."""
    seedlings(here)
    say(f"cp -r Train gs://{bucket.name}")
    shell = say.shell  # type: ignore[attr-defined]

    def completed(line: str) -> list[str]:
        with pytest.warns(PendingDeprecationWarning):
            text, matches = shell.complete(None, line, len(line))
        return sorted(line[: len(line) - len(text)] + match for match in matches)

    assert completed("%ml_storage rs") == ["%ml_storage rsync "]
    assert completed(f"%ml_storage ls gs://{bucket.name[:-1]}") == [f"%ml_storage ls gs://{bucket.name}/"]
    assert completed(f"%ml_storage ls gs://{bucket.name}/Train/m") == [
        f"%ml_storage ls gs://{bucket.name}/Train/maize/"
    ]
    assert completed(f"%ml_storage cp gs://{bucket.name}/Train/maize/1.") == [
        f"%ml_storage cp gs://{bucket.name}/Train/maize/1.png"
    ]
    assert completed("%ml_storage cp Trai") == ["%ml_storage cp Train/"]


def test_from_python(platform: object, here: Path, bucket: storage.Bucket) -> None:
    """Everything that the magic does can be called."""
    seedlings(here)
    copied = files.copy(here / "Train", f"gs://{bucket.name}", recursive=True)
    assert (copied.files, copied.unchanged, copied.left_out) == (4, 0, {})
    assert [line.address for line in files.listed(f"gs://{bucket.name}/**.csv")] == [
        f"gs://{bucket.name}/Train/labels.csv"
    ]
    assert b"".join(files.read(f"gs://{bucket.name}/Train/labels.csv")) == (here / "Train/labels.csv").read_bytes()
    assert files.remove(f"gs://{bucket.name}/Train", recursive=True) == 4
