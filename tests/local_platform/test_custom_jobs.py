"""Vertex AI's customJobs and operations, over a real socket and checked against Google's schema."""

from __future__ import annotations

import threading
import time
from copy import deepcopy
from typing import Any

import pytest

from cloudml_magic.discovery import document, violations
from cloudml_magic.local_platform.resources.jobs import IllegalTransitionError
from cloudml_magic.states import JobState

from .conftest import JOB, JOBS, Served

CUSTOM_JOB = "GoogleCloudAiplatformV1CustomJob"


def check(schema: str, body: Any) -> Any:
    assert violations(document("aiplatform.v1"), schema, body) == []
    return body


def job_with(**changes: Any) -> dict[str, Any]:
    job = deepcopy(JOB)
    job.update(changes)
    return job


def test_a_job_keeps_its_body_and_gains_what_a_server_adds(served: Served) -> None:
    """The answer is the body as it came plus name (with the project's number), state and times."""
    created = check(CUSTOM_JOB, served.ask("POST", JOBS, JOB))
    id = created["name"].rpartition("/")[2]
    assert created["name"] == f"projects/1/locations/us-central1/customJobs/{id}"
    assert id.isdigit()
    assert created["state"] == "JOB_STATE_QUEUED"
    assert created["labels"] == JOB["labels"]
    assert created["jobSpec"]["workerPoolSpecs"][0]["diskSpec"] == {"bootDiskType": "pd-ssd", "bootDiskSizeGb": 100}
    assert served.ask("GET", f"{JOBS}/{id}") == created
    assert served.runner.submitted == [id]


def test_one_token_one_job(served: Served) -> None:
    """Sixty-four racers with the same submission token make one job and are all told its name."""
    names: list[str] = []
    threads = [threading.Thread(target=lambda: names.append(served.ask("POST", JOBS, JOB)["name"])) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == 64
    assert len(set(names)) == 1
    assert len(served.runner.submitted) == 1


def test_a_job_goes_through_its_states(served: Served) -> None:
    """State, start and end show as the runner moves the job, and no state is skipped or taken back."""
    id = served.ask("POST", JOBS, JOB)["name"].rpartition("/")[2]
    served.runner.run(id)
    running = check(CUSTOM_JOB, served.ask("GET", f"{JOBS}/{id}"))
    assert running["state"] == "JOB_STATE_RUNNING"
    assert running["startTime"] >= running["createTime"]
    served.runner.resources.update_job(id, state=JobState.FAILED, ended=time.time(), error=(3, "It broke."))
    failed = check(CUSTOM_JOB, served.ask("GET", f"{JOBS}/{id}"))
    assert failed["error"] == {"code": 3, "message": "It broke."}
    served.runner.resources.update_job(id, state=JobState.FAILED)
    with pytest.raises(IllegalTransitionError):
        served.runner.resources.update_job(id, state=JobState.RUNNING)


def test_cancel_and_delete(served: Served) -> None:
    """A waiting job is cancelled, twice without harm; only an ended job is deleted, by an operation that is done."""
    id = served.ask("POST", JOBS, JOB)["name"].rpartition("/")[2]
    assert "cancel it before" in served.refused("DELETE", f"{JOBS}/{id}")["message"]
    assert served.ask("POST", f"{JOBS}/{id}:cancel", {}) == {}
    assert served.ask("POST", f"{JOBS}/{id}:cancel") == {}
    operation = check("GoogleLongrunningOperation", served.ask("DELETE", f"{JOBS}/{id}"))
    assert operation["done"] is True
    for path in (
        f"/v1/{operation['name']}",
        f"/ui/{operation['name']}",
        f"{JOBS}/{id}/operations/{operation['name'].rpartition('/')[2]}",
    ):
        assert served.ask("GET", path) == operation
    assert served.ask("POST", f"/v1/{operation['name']}:wait?timeout=3s") == operation
    assert served.refused("GET", f"{JOBS}/{id}")["status"] == "NOT_FOUND"
    assert served.ask("GET", f"{JOBS}/{id}/operations")["operations"] == [operation]
    assert served.ask("DELETE", f"/v1/{operation['name']}") == {}
    assert served.refused("GET", f"/v1/{operation['name']}")["code"] == 404


def test_an_ended_job_is_not_cancelled(served: Served) -> None:
    """Cancelling what has succeeded is refused as a failed precondition."""
    id = served.ask("POST", JOBS, JOB)["name"].rpartition("/")[2]
    served.runner.run(id)
    served.runner.finish(id)
    error = served.refused("POST", f"{JOBS}/{id}:cancel", {})
    assert (error["code"], error["status"]) == (400, "FAILED_PRECONDITION")


def test_lists_are_filtered_and_paged(served: Served) -> None:
    """Jobs are listed latest first, by Google's filter language, page by page."""
    ids = []
    for number in range(5):
        job = job_with(displayName=f"model_{number}", labels={"kind": "odd" if number % 2 else "even"})
        ids.append(served.ask("POST", JOBS, job)["name"].rpartition("/")[2])
    served.runner.run(ids[0])

    def names(filter: str) -> list[str]:
        from urllib.parse import quote

        body = check(
            "GoogleCloudAiplatformV1ListCustomJobsResponse", served.ask("GET", f"{JOBS}?filter={quote(filter)}")
        )
        return [job["displayName"] for job in body.get("customJobs", [])]

    assert names("") == ["model_4", "model_3", "model_2", "model_1", "model_0"]
    assert names('state="JOB_STATE_RUNNING"') == ["model_0"]
    assert names('display_name:"model_*" AND labels.kind=odd') == ["model_3", "model_1"]
    assert names('display_name="model_1" OR (labels.kind=even AND NOT display_name="model_0")') == [
        "model_4",
        "model_2",
        "model_1",
    ]
    assert names('create_time>"2020-01-01T00:00:00Z" AND create_time<"2020-01-02T00:00:00Z"') == []
    first = served.ask("GET", f"{JOBS}?pageSize=2")
    second = served.ask("GET", f"{JOBS}?pageSize=2&pageToken={first['nextPageToken']}")
    third = served.ask("GET", f"{JOBS}?pageSize=2&pageToken={second['nextPageToken']}")
    seen = [job["displayName"] for page in (first, second, third) for job in page["customJobs"]]
    assert seen == ["model_4", "model_3", "model_2", "model_1", "model_0"]
    assert "nextPageToken" not in third


@pytest.mark.parametrize(
    "filter", ["state", "state=", "(", "a AND", "color=red", "=", "((((" * 100, 'create_time>"soon"', "NOT " * 2000]
)
def test_what_is_no_filter_is_refused(served: Served, filter: str) -> None:
    """A filter that cannot be read is a 400, never a failure of the server."""
    from urllib.parse import quote

    served.ask("POST", JOBS, JOB)
    assert served.refused("GET", f"{JOBS}?filter={quote(filter)}")["code"] == 400


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"displayName": ""}, "1.Field: custom_job.display_name; Message: Required field is not set."),
        ({"displayName": "x" * 129}, "at most 128 characters"),
        ({"labels": {"Upper": "x"}}, "lowercase"),
        ({"jobSpec": {}}, "custom_job.job_spec.worker_pool_specs; Message: Required field is not set."),
        ({"jobSpec": {"workerPoolSpecs": [{}]}}, "Exactly one of container_spec and python_package_spec"),
        ({"cow": 1}, 'Unknown name "cow": Cannot find field.'),
    ],
)
def test_what_vertex_would_refuse_is_refused(served: Served, change: dict[str, Any], message: str) -> None:
    """Missing and unfit fields are named, in Google's form, and no job is made."""
    error = served.refused("POST", JOBS, job_with(**change))
    assert error["status"] == "INVALID_ARGUMENT"
    assert message in error["message"]
    assert error["details"][0]["fieldViolations"]
    assert served.ask("GET", JOBS) == {}


def test_secrets_are_masked_in_every_answer(served: Served) -> None:
    """Values of variables that CLOUDML_SECRETS names show as three stars; the runner gets them as they are."""
    job = deepcopy(JOB)
    container: Any = job["jobSpec"]["workerPoolSpecs"][0]["containerSpec"]  # type: ignore[index]
    container["env"] = [
        {"name": "KEY", "value": "canary-7"},
        {"name": "PLAIN", "value": "seen"},
        {"name": "CLOUDML_SECRETS", "value": "OTHER,KEY"},
    ]
    created = served.ask("POST", JOBS, job)
    id = created["name"].rpartition("/")[2]
    for body in (created, served.ask("GET", f"{JOBS}/{id}"), served.ask("GET", JOBS)["customJobs"][0]):
        shown = body["jobSpec"]["workerPoolSpecs"][0]["containerSpec"]["env"]
        assert [each["value"] for each in shown] == ["***", "seen", "OTHER,KEY"]
    stored = served.platform.resources.job(id)
    assert stored is not None
    assert "canary-7" in str(stored.body)
    assert served.places.database.stat().st_mode & 0o077 == 0


def test_methods_that_exist_but_are_not_emulated_say_so(served: Served) -> None:
    """A method of Google's that the platform does not emulate is a 501 with its name, not a 404."""
    error = served.refused("GET", "/v1/projects/local/locations/us-central1/datasets")
    assert error["code"] == 501
    assert "aiplatform.projects.locations.datasets.list" in error["message"]
    assert served.refused("GET", "/v1/nonsense")["code"] == 404


def test_clocks_that_are_set_back_make_no_nonsense(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the clock a day back, jobs keep their order in pages, and no job ends before it started."""
    from cloudml_magic.local_platform.resources import jobs as resources

    real = time.time
    names = []
    for number, step in enumerate((0, -86400, 86400)):
        monkeypatch.setattr(resources.time, "time", lambda step=step: real() + step)
        names.append(served.ask("POST", JOBS, job_with(labels={"cloudml-token": f"t{number}"}))["name"])
    listed, token = [], ""
    while True:
        page = served.ask("GET", f"{JOBS}?pageSize=1&pageToken={token}")
        listed += [job["name"] for job in page["customJobs"]]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert listed == names[::-1]
    id = names[2].rpartition("/")[2]
    served.runner.run(id)
    served.runner.resources.update_job(id, state=JobState.SUCCEEDED, ended=real() - 86400)
    job = served.ask("GET", f"{JOBS}/{id}")
    assert job["createTime"] <= job["startTime"] <= job["endTime"]
