"""The API before Vertex AI, spoken by the same magics: with `--dialect ml-v1`, here and at Google's addresses."""

from __future__ import annotations

import time

import pytest

from cloudml_magic import pipeline
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.session import CURRENT, ledger
from cloudml_magic.records import JobKind
from cloudml_magic.states import JobState
from tests.cloud.conftest import Cloud
from tests.faults.proxy import Fault


@pytest.fixture(params=["local", "cloud"], autouse=True)
def old_api(request: pytest.FixtureRequest, google_cloud: Cloud) -> Cloud:
    CURRENT.set({"target": request.param, "dialect": "ml-v1", "requires": ""})
    return google_cloud


def test_a_cell_trains_and_is_followed_to_its_end(old_api: Cloud) -> None:
    """With its reports, its lines, its folder and its place in the ledger."""
    code = "from cloudml_magic import report\nfor n in range(3):\n    report(n, loss=1 / (n + 1))\n"
    job = pipeline.train(code, name="Old-one")
    events = list(job.watch())
    assert job.state is JobState.SUCCEEDED
    assert job.id.startswith("Old_one_")
    assert job.last_seen.resource_name == f"projects/local/jobs/{job.id}"
    assert [event.fields["step"] for event in events if event.kind == "metric"] == [0, 1, 2]
    assert "step 2 · loss 0.3333" in job.logs()
    assert job.metrics == {"loss": 1 / 3}
    assert job.folder.name.startswith("jobs/old-one-")
    assert pipeline.job("Old-one").id == job.id
    assert next(iter(pipeline.jobs())).id == job.id
    CURRENT.set({"dialect": "aiplatform-v1"})
    assert pipeline.job("Old-one").state is JobState.SUCCEEDED, "a job's name says by which API it is asked for"


def test_a_job_that_fails_says_why(old_api: Cloud) -> None:
    """As under the other dialect."""
    job = pipeline.train("1 / 0", name="broken")
    with pytest.raises(CloudMLError) as caught:
        job.wait()
    assert caught.value.reference == "job-failed"
    assert caught.value.why.startswith("ZeroDivisionError: division by zero")


def test_a_job_is_cancelled_and_its_folder_freed(old_api: Cloud) -> None:
    """The API keeps a job for ever; what it left in the bucket goes."""
    job = pipeline.train("import time; time.sleep(100)", name="long")
    while job.state is not JobState.RUNNING:
        time.sleep(0.1)
    job.cancel()
    with pytest.raises(CloudMLError, match="was cancelled"):
        job.wait()
    pipeline.delete([job])
    assert job.artifacts() == []
    assert not ledger().named("long")


def test_a_lost_reply_makes_no_second_job(old_api: Cloud) -> None:
    """The job is looked for by its token, which ends its id."""
    if CURRENT.value("target") == "cloud":
        old_api.proxy.script(Fault("lost_reply", "POST", r"/jobs(\?|$)"))
    job = pipeline.train("print(1)", name="once")
    assert len([found for found in pipeline.jobs() if found.name == "once" and found.id == job.id]) == 1
    assert job.last_seen.kind is JobKind.TRAINING


def test_a_secret_that_everyone_would_see_is_refused(old_api: Cloud) -> None:
    """The API has no variables; what stands before the command is shown to all who may look."""
    with pytest.raises(CloudMLError) as caught:
        pipeline.train("print(1)", name="secret", env={"TOKEN": "hush-hush"})
    assert str(caught.value) == (
        "The old API cannot hand over an environment variable without showing it to all who see the job.\n"
        "  Next: Say `%ml_init --dialect aiplatform-v1`, or leave --env out.\n"
        "[old-api-without-secrets]"
    )


@pytest.mark.parametrize("options", [{"spot": True}, {"flex_start": True}])
def test_a_cheaper_machine_that_there_was_not_is_refused(old_api: Cloud, options: dict[str, bool]) -> None:
    """Else it would be sent at the full price without a word."""
    with pytest.raises(CloudMLError) as caught:
        pipeline.train("print(1)", name="cheap", gpu="T4" if "spot" in options else "H100:8", **options)
    assert str(caught.value) == (
        "The old API has no machines that are cheaper or waited for.\n"
        "  Next: Say `%ml_init --dialect aiplatform-v1`, or leave --spot and --flex-start out.\n"
        "[old-api-without-spot]"
    )
