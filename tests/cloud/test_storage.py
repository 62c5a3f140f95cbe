"""Buckets in the cloud: with Google's credentials, and no other project's bucket by accident."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from cloudml_magic import files
from cloudml_magic.errors import CloudMLError
from tests.cloud.conftest import Cloud


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "d").mkdir()
    for number in range(3):
        (tmp_path / "d" / str(number)).write_text(str(number))
    return tmp_path / "d"


def test_a_folder_goes_up_with_googles_credentials(google_cloud: Cloud, folder: Path) -> None:
    """As every other request to Google."""
    bucket = files.make_bucket(f"mine-{secrets.token_hex(4)}")
    assert files.copy(folder, bucket, recursive=True).files == 3
    assert files.copy(folder, bucket, recursive=True).unchanged == 3
    assert b"".join(files.read(f"{bucket}/d/2")) == b"2"


def test_nothing_is_written_to_another_projects_bucket_unless_that_is_meant(google_cloud: Cloud, folder: Path) -> None:
    """Whoever owns it could change what lies there; reading it is no danger."""
    bucket = files.make_bucket(f"theirs-{secrets.token_hex(4)}")
    google_cloud.google.answer(
        "cloudresourcemanager.projects.get", {"name": "projects/2", "state": "ACTIVE", "projectId": "local"}
    )
    for act in (files.copy, files.synchronise):
        with pytest.raises(CloudMLError) as caught:
            act(folder, bucket, recursive=True)
        assert str(caught.value) == (
            f"{bucket} does not belong to project local.\n"
            "  Why:  Whoever owns a bucket can read and change what is sent there.\n"
            "  Next: Say --any-project if it is meant. Nothing was sent.\n"
            "[foreign-bucket]"
        )
    assert list(files.listed(bucket)) == []
    assert files.copy(folder, bucket, recursive=True, any_project=True).files == 3
    with pytest.raises(CloudMLError) as caught:
        files.make_bucket(bucket)
    assert str(caught.value) == (
        f"{bucket} belongs to somebody else.\n"
        "  Why:  Names of buckets are shared by all users of Cloud Storage.\n"
        "  Next: Choose another name, such as one that begins with your project's.\n"
        "[bucket-taken]"
    )
