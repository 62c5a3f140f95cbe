"""Lines that say something else than was meant: nothing is lost by them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from google.cloud import storage

from cloudml_magic import files
from cloudml_magic.errors import CloudMLError
from cloudml_magic.notebook.transfer_line import TransferLine
from cloudml_magic.pipeline.files import Progress
from tests.storage.conftest import names

Say = Callable[[str], str]


@pytest.fixture
def filled(bucket: storage.Bucket) -> storage.Bucket:
    """A folder with another one in it."""
    for name in ("d/a", "d/e/b"):
        bucket.blob(name).upload_from_string(name)
    return bucket


@pytest.mark.parametrize(
    "line", ["mv B/d/a B/d/a", "mv B/d/a B/d/", "mv B/d/a B/d", "mv -r B/d B", "mv B/d/* B/d/", "cp -r B/d B"]
)
def test_what_is_moved_onto_itself_stays(say: Say, filled: storage.Bucket, line: str) -> None:
    """As it was, to the generation."""
    before = {blob.name: blob.generation for blob in filled.list_blobs()}
    assert "there already" in say(line.replace("B", f"gs://{filled.name}"))
    assert {blob.name: blob.generation for blob in filled.list_blobs()} == before


@pytest.mark.parametrize(
    "line", ["cp -r B/d B/d/copy", "cp -r B/d B/d/e", "mv -r B/d B/d/e/", "rsync -r B/d B/d/e", "cp -r B B/all"]
)
def test_a_folder_is_not_copied_into_itself(say: Say, filled: storage.Bucket, line: str) -> None:
    """Where its list is long, the copies would be copied too, and so on."""
    with pytest.raises(CloudMLError, match="which would be copied there") as caught:
        say(line.replace("B", f"gs://{filled.name}"))
    assert caught.value.reference == "into-itself"
    assert names(filled) == ["d/a", "d/e/b"]


def test_a_folder_within_the_target_is_not_deleted_as_what_is_only_there(say: Say, filled: storage.Bucket) -> None:
    """It would be gone after it was copied."""
    at = f"gs://{filled.name}"
    with pytest.raises(CloudMLError) as caught:
        say(f"rsync -r -d --yes {at}/d/e {at}/d")
    assert str(caught.value) == (
        f"{at}/d/e lies in {at}/d, where it would be deleted.\n"
        "  Why:  What is only at the target is deleted, and that is the source itself.\n"
        "  Next: Leave out -d, or move what is meant by `mv`.\n"
        "[into-itself]"
    )
    assert names(filled) == ["d/a", "d/e/b"]
    say(f"rsync -r {at}/d/e {at}/d")
    assert names(filled) == ["d/a", "d/b", "d/e/b"]


def test_an_empty_bucket_comes_to_a_folder_that_is_not_there(say: Say, here: Path, bucket: storage.Bucket) -> None:
    """Nothing comes, and nothing has to go."""
    assert say(f"rsync -r -d --yes gs://{bucket.name} new").startswith("Copied 0 files")
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("action", ["mb", "rb --yes"])
def test_a_folder_is_no_bucket(say: Say, bucket: storage.Bucket, action: str) -> None:
    """The bucket around it is left alone."""
    with pytest.raises(CloudMLError) as caught:
        say(f"{action} gs://{bucket.name}/folder")
    assert str(caught.value) == (
        f"gs://{bucket.name}/folder is no bucket, but something in one.\n"
        "  Why:  A folder comes with the first object that is copied into it, and goes with its last.\n"
        f"  Next: Name the bucket alone, gs://{bucket.name}; a folder is deleted by `%ml_storage rm -r`.\n"
        "[bad-address]"
    )
    assert bucket.exists()


def test_a_folder_that_is_empty_is_there(say: Say, bucket: storage.Bucket) -> None:
    """Google's console makes such: an object with a slash at its end."""
    bucket.blob("empty/").upload_from_string("")
    assert say(f"ls gs://{bucket.name}/empty") == ""
    with pytest.raises(CloudMLError, match="There is no"):
        say(f"ls gs://{bucket.name}/emptied")


def test_an_interrupted_copy_goes_on(
    say: Say, here: Path, bucket: storage.Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has arrived is whole and is not sent again."""
    (here / "d").mkdir()
    for number in range(500):
        (here / "d" / f"{number:03}").write_text(str(number))

    def interrupted(line: TransferLine, progress: Progress) -> None:
        if progress.done_files >= 200 and not progress.is_stopped:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(CloudMLError) as caught:
        patched.setattr(TransferLine, "show", interrupted)
        say(f"cp -r d gs://{bucket.name}")
    assert str(caught.value) == (
        "%ml_storage cp was interrupted.\n"
        "  Why:  What has arrived is whole; of the rest nothing is there.\n"
        "  Next: Run the line again: what is there already is not sent again.\n"
        "[interrupted]"
    )
    arrived = bucket.list_blobs()
    assert 200 <= sum(blob.download_as_bytes() == (here / blob.name).read_bytes() for blob in arrived) < 500
    assert files.copy("d", f"gs://{bucket.name}", recursive=True).unchanged >= 200
    assert [blob.size for blob in bucket.list_blobs()] == [len(str(number)) for number in range(500)]
