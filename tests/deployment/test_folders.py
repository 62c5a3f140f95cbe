"""A folder in the bucket stays as long as anything is made of it."""

from __future__ import annotations

import io

import pytest

from cloudml_magic.errors import CloudMLError
from cloudml_magic.notebook.asking import ask_to_delete
from cloudml_magic.pipeline import Job, delete, delete_model, deletion_of, deploy, removal_of, undeploy
from cloudml_magic.records import JobSnapshot, Target
from cloudml_magic.states import JobState

from .conftest import BUCKET, Platform, told


def test_a_folder_stays_until_its_last_version_goes(platform: Platform) -> None:
    """Two models of one folder: deleting one leaves the other its files; deleting the last takes them."""
    address = platform.model("models/reg/0123")
    platform.upload(address, "reg")
    platform.upload(address, "dup")
    delete_model(removal_of("dup"))
    assert platform.path("models/reg/0123/saved_model.pb").is_file()
    delete_model(removal_of("reg"))
    assert not platform.path("models/reg/0123").exists()


def test_a_folder_above_another_model_stays(platform: Platform) -> None:
    """Whoever uploads to a folder beneath another model's would lose it with that one."""
    outer, inner = platform.model("models/reg"), platform.model("models/reg/inner")
    platform.upload(outer, "outer")
    platform.upload(inner, "inner")
    delete_model(removal_of("outer"))
    assert platform.path("models/reg/inner/saved_model.pb").is_file()


def job_of(platform: Platform, name: str) -> Job:
    """A job that has ended and left what is in its folder."""
    snapshot = JobSnapshot("1", "projects/p/locations/l/customJobs/1", name, JobState.SUCCEEDED, Target.LOCAL,
                           f"{BUCKET}/jobs/{name}", 1.0)  # fmt: skip
    return Job(snapshot, platform.connection)


def test_a_job_whose_model_is_deployed_is_not_deleted(platform: Platform) -> None:
    """The refusal names the version and what to do; nothing of any job that was to go is gone."""
    address = platform.model("jobs/reg/model")
    platform.path("jobs/other").mkdir()
    platform.path("jobs/other/events.jsonl").touch()
    deploy(address, as_="reg")
    job, other = job_of(platform, "reg"), job_of(platform, "other")
    with pytest.raises(CloudMLError) as refused:
        delete([other, job])
    assert told(refused.value) == (
        "Job reg cannot be deleted while its model is deployed.",
        "Answers come from its files: reg/1.",
        "Say `%ml_undeploy reg/1` first.",
    )
    assert platform.path("jobs/reg/model/saved_model.pb").is_file()
    assert platform.path("jobs/other/events.jsonl").is_file()
    undeploy("reg")
    assert deletion_of([other, job]) == (
        "other, reg with all that they left in the bucket; reg/1 cannot be deployed again"
    )


def test_without_anybody_to_ask_nothing_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook that runs unattended is told to say --yes."""
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CloudMLError) as refused:
        ask_to_delete("model reg", sure=False)
    assert told(refused.value) == (
        "Nothing was deleted.",
        "Nobody can be asked here whether it may be.",
        "Say --yes.",
    )
    ask_to_delete("model reg", sure=True)
