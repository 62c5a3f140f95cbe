"""The older API's jobs through googleapiclient: what is answered and what is refused, word for word."""

from __future__ import annotations

import re
import time
from copy import deepcopy
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from cloudml_magic.states import JobState
from tests.local_platform.conftest import Served

from .conftest import JOBS, PROJECT, checked, details, refusal_of

TRAINING: dict[str, Any] = {
    "scaleTier": "BASIC_GPU",
    "packageUris": ["gs://cloudml-local/mlmagic__1500000000.tar.gz"],
    "pythonModule": "trainer.task",
    "region": "us-central1",
    "runtimeVersion": "1.2",
}
WHOLE_SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def job(id: str = "mlmagic__1500000000", **given: Any) -> dict[str, Any]:
    return {"jobId": id, "trainingInput": {**TRAINING, **given}}


def refused(request: Any) -> tuple[int, str, Any]:
    with pytest.raises(HttpError) as caught:
        request.execute()
    return refusal_of(caught.value)


def test_a_job_comes_back_as_it_was_sent_with_what_a_server_adds(ml: Any, served: Served) -> None:
    """Labels and fields that only Google's machines need survive; state, times, output and etag are added."""
    sent = job(network="projects/1/global/networks/n", serviceAccount="a@b.c", enableWebAccess=True)
    sent["labels"] = {"phase": "first"}
    created = checked("Job", ml.projects().jobs().create(parent=PROJECT, body=sent).execute())
    assert created["state"] == "QUEUED"
    assert created["trainingOutput"] == {}
    assert WHOLE_SECONDS.fullmatch(created["createTime"])
    assert {name: created[name] for name in sent} == sent
    assert created.keys() == sent.keys() | {"state", "createTime", "etag", "trainingOutput"}
    assert ml.projects().jobs().get(name=f"{PROJECT}/jobs/{sent['jobId']}").execute() == created
    assert served.runner.submitted == [sent["jobId"]]


def test_old_clients_spell_as_they_like(ml: Any) -> None:
    """snake_case, tiers in small letters and bare values instead of lists are read as Google read them."""
    body = {
        "job_id": "old",
        "training_input": {
            "scale_tier": "basic", "package_uris": "gs://cloudml-local/a.tar.gz", "python_module": "trainer.task",
            "region": "us-central1", "runtime_version": "1.4", "args": "--fast",
        },
    }  # fmt: skip
    created = ml.projects().jobs().create(parent=PROJECT, body=body).execute()
    assert created["trainingInput"]["scaleTier"] == "BASIC"
    assert created["trainingInput"]["packageUris"] == ["gs://cloudml-local/a.tar.gz"]
    assert created["trainingInput"]["args"] == ["--fast"]


def test_states_and_times_follow_the_runner(ml: Any, served: Served) -> None:
    """QUEUED, RUNNING, FAILED with the message's replica named as this API names it."""
    jobs = ml.projects().jobs()
    id = jobs.create(parent=PROJECT, body=job()).execute()["jobId"]
    served.runner.run(id)
    running = checked("Job", jobs.get(name=f"{PROJECT}/jobs/{id}").execute())
    assert running["state"] == "RUNNING"
    assert WHOLE_SECONDS.fullmatch(running["startTime"])
    told = (
        "The replica workerpool0-0 exited with a non-zero status of 1. Termination reason: Error. \n"
        "Traceback (most recent call last):\n  workerpool0-0"
    )
    served.runner.resources.update_job(id, state=JobState.FAILED, ended=time.time(), error=(3, told))
    failed = checked("Job", jobs.get(name=f"{PROJECT}/jobs/{id}").execute())
    assert failed["state"] == "FAILED"
    assert failed["errorMessage"] == (
        "The replica master 0 exited with a non-zero status of 1. Termination reason: Error. \n"
        "Traceback (most recent call last):\n  workerpool0-0"
    )
    assert WHOLE_SECONDS.fullmatch(failed["endTime"])


@pytest.mark.parametrize("id", ["", "1st", "a-b", "a.b", "é", "_a"])
def test_names_follow_the_rule(refusing: Any, id: str) -> None:
    """Letters, digits and underscores, a letter first."""
    words = "A name should start with a letter and contain only letters, numbers and underscores."
    assert refused(refusing.projects().jobs().create(parent=PROJECT, body=job(id))) == (
        400, f"Field: job_id Error: {words}", details("job_id", words),
    )  # fmt: skip


def test_a_name_is_taken_for_ever(ml: Any, served: Served) -> None:
    """Also of a job that is over; names differ by case."""
    jobs = ml.projects().jobs()
    jobs.create(parent=PROJECT, body=job("once")).execute()
    jobs.cancel(name=f"{PROJECT}/jobs/once", body={}).execute()
    words = "A job with this id already exists."
    assert refused(jobs.create(parent=PROJECT, body=job("once"))) == (
        409, f"Field: job.job_id Error: {words}", details("job.job_id", words),
    )  # fmt: skip
    jobs.create(parent=PROJECT, body=job("Once")).execute()
    error = served.refused("DELETE", f"{JOBS}/once")
    assert (error["code"], error["message"]) == (404, f"The method DELETE {JOBS}/once was not found.")


def test_a_job_that_is_not_there(ml: Any) -> None:
    """404, with the field as a detail."""
    words = "The specified job was not found."
    expected = (404, f"Field: name Error: {words}", details("name", words))
    assert refused(ml.projects().jobs().get(name=f"{PROJECT}/jobs/none")) == expected
    assert refused(ml.projects().jobs().cancel(name=f"{PROJECT}/jobs/none", body={})) == expected


def test_what_is_over_is_not_cancelled(ml: Any, served: Served) -> None:
    """A waiting job is cancelled; one that has ended in any way is refused."""
    jobs = ml.projects().jobs()
    jobs.create(parent=PROJECT, body=job("a")).execute()
    assert jobs.cancel(name=f"{PROJECT}/jobs/a").execute() == {}
    assert jobs.get(name=f"{PROJECT}/jobs/a").execute()["state"] == "CANCELLED"
    expected = (400, "Cannot cancel an already completed job.", None)
    assert refused(jobs.cancel(name=f"{PROJECT}/jobs/a", body={})) == expected
    jobs.create(parent=PROJECT, body=job("b")).execute()
    served.runner.run("b")
    served.runner.finish("b")
    assert refused(jobs.cancel(name=f"{PROJECT}/jobs/b", body={})) == expected


def test_lists_are_filtered_and_paged(ml: Any, served: Served) -> None:
    """Twenty a page, the latest first, by the filters of this API."""
    jobs = ml.projects().jobs()
    for number in range(23):
        jobs.create(parent=PROJECT, body=job(f"{'rnn' if number % 2 else 'cnn'}_{number}")).execute()
    served.runner.run("rnn_1")
    served.runner.finish("rnn_1", JobState.FAILED)
    request, pages = jobs.list(parent=PROJECT), []
    while request is not None:
        answer = checked("ListJobsResponse", request.execute())
        pages.append([each["jobId"] for each in answer["jobs"]])
        request = jobs.list_next(request, answer)
    assert [len(page) for page in pages] == [20, 3]
    assert pages[0][:2] == ["cnn_22", "rnn_21"]

    def found(filter: str) -> list[str]:
        return [each["jobId"] for each in jobs.list(parent=PROJECT, filter=filter).execute().get("jobs", [])]

    assert found("jobId:rnn* AND state:FAILED") == ["rnn_1"]
    assert found('jobId="cnn_4" OR state=FAILED') == ["cnn_4", "rnn_1"]
    assert found("state:RUNNING") == []
    assert len(jobs.list(parent=PROJECT, pageSize=2).execute()["jobs"]) == 2


def test_labels_and_nothing_else_can_be_changed(ml: Any) -> None:
    """With the etag of what was read, or without any; an older one is refused."""
    jobs, name = ml.projects().jobs(), f"{PROJECT}/jobs/a"
    first = jobs.create(parent=PROJECT, body=job("a")).execute()
    changed = jobs.patch(
        name=name, updateMask="labels,etag", body={"labels": {"k": "v"}, "etag": first["etag"]}
    ).execute()
    assert checked("Job", changed)["labels"] == {"k": "v"}
    assert changed["etag"] != first["etag"]
    stale = jobs.patch(name=name, updateMask="labels", body={"labels": {}, "etag": first["etag"]})
    assert refused(stale)[:2] == (409, "The resource was changed meanwhile: its etag is another one.")
    for mask in ("trainingInput", "labels,jobId"):
        assert refused(jobs.patch(name=name, updateMask=mask, body={"labels": {}}))[0] == 400
    assert "labels" not in jobs.patch(name=name, updateMask="labels", body={}).execute()


def custom(**given: Any) -> dict[str, Any]:
    return job(scaleTier="CUSTOM", **given)


def container(**given: Any) -> dict[str, Any]:
    config = {"imageUri": "tensorflow/tensorflow", "containerCommand": ["true"]}
    body = job(**{"masterConfig": config, **given})
    for field in ("packageUris", "pythonModule", "runtimeVersion"):
        body["trainingInput"].pop(field) if field not in given else None
    return body


NOT_SET = "Required field is not set."


@pytest.mark.parametrize(
    ("body", "field", "description"),
    [
        ({"jobId": "a"}, "job", "Exactly one of training_input and prediction_input must be set."),
        ({"jobId": "a", "trainingInput": {}}, "training_input.scale_tier", NOT_SET),
        (job(region=""), "training_input.region", NOT_SET),
        (job(packageUris=[]), "training_input.package_uris", NOT_SET),
        (job(pythonModule=""), "training_input.python_module", NOT_SET),
        (job(runtimeVersion=""), "training_input.runtime_version", NOT_SET),
        (job(runtimeVersion="latest"), "training_input.runtime_version",
         "'latest' is no version such as 2.11 or 3.7."),
        (job(packageUris=["gs://b/a.tar.gz"] * 101), "training_input.package_uris",
         "At most 100 packages are supported."),
        (custom(), "training_input.master_type", NOT_SET),
        (custom(masterType="standard", workerCount="2"), "training_input.worker_type", NOT_SET),
        (custom(masterType="standard", parameterServerCount=1), "training_input.parameter_server_type", NOT_SET),
        (custom(masterType="standard", evaluatorCount=1), "training_input.evaluator_type", NOT_SET),
        (custom(masterType="standard", workerCount=-1), "training_input.worker_count", "It must not be negative."),
        (job(masterType="standard"), "training_input.master_type",
         "It can only be set with scale_tier CUSTOM, not BASIC_GPU."),
        (job(jobDir="/tmp/x"), "training_input.job_dir",
         "'/tmp/x' is no address of a folder in a bucket (gs://BUCKET/…)."),
        (job(scheduling={"maxRunningTime": "-5s"}), "training_input.scheduling.max_running_time",
         "It must be at least 0s."),
        (job(scheduling={"maxWaitTime": "60s"}), "training_input.scheduling.max_wait_time",
         "It must be at least 1800s."),
        (job(scheduling={"priority": 1001}), "training_input.scheduling.priority", "It must be from 0 to 1000."),
        (job(workerConfig={"imageUri": "x"}), "training_input.worker_config.image_uri",
         "It can only be set together with master_config.image_uri."),
        (container(runtimeVersion="2.1"), "training_input.runtime_version",
         "It cannot be set together with master_config.image_uri."),
        (container(args=["a"], masterConfig={"imageUri": "x", "containerCommand": ["y"], "containerArgs": ["b"]}),
         "training_input.master_config.container_args", "It cannot be set together with args."),
        (container(masterConfig={"imageUri": "tensorflow/tensorflow"}),
         "training_input.master_config.container_command",
         "Required on the local platform, which runs no containers and so knows no entry point."),
    ],
)  # fmt: skip
def test_what_is_missing_or_unfit_is_named(
    refusing: Any, body: dict[str, Any], field: str, description: str
) -> None:  # fmt: skip
    """400 with the field and what is wrong with it; no job is made."""
    answer = refused(refusing.projects().jobs().create(parent=PROJECT, body=deepcopy(body)))
    assert answer == (400, f"Field: {field} Error: {description}", details(field, description))
    assert refusing.projects().jobs().list(parent=PROJECT).execute() == {}


def test_a_label_that_is_none_is_refused(ml: Any) -> None:
    """As everywhere: lowercase letters, digits, _ and -."""
    words = "Label 'A' is not lowercase letters, digits, _ and -."
    assert refused(ml.projects().jobs().create(parent=PROJECT, body={**job(), "labels": {"A": "b"}})) == (
        400, f"Field: job.labels Error: {words}", details("job.labels", words),
    )  # fmt: skip


def test_tuning_is_refused_in_words(ml: Any) -> None:
    """501, rather than one trial that is called the best."""
    tuned = job(hyperparameters={"goal": 1, "params": [{"parameterName": "x", "type": "DOUBLE"}]})
    assert refused(ml.projects().jobs().create(parent=PROJECT, body=tuned))[:2] == (
        501,
        "The local platform does not emulate hyperparameter tuning (training_input.hyperparameters): it would have to"
        " run one trial and call it the best. Leave hyperparameters out to train once.",
    )


def test_unknown_fields_are_refused_as_google_does(ml: Any) -> None:
    """By the schema of Google's document."""
    body = {**job(), "trainingInputs": {}}
    assert refused(ml.projects().jobs().create(parent=PROJECT, body=body))[:2] == (
        400, 'Invalid JSON payload received. Unknown name "trainingInputs": Cannot find field.',
    )  # fmt: skip


def test_the_two_apis_keep_their_jobs_apart(ml: Any, served: Served) -> None:
    """A job of this API is no custom job, neither by list nor by name."""
    ml.projects().jobs().create(parent=PROJECT, body=job("a")).execute()
    for location in ("us-central1", "-"):
        assert served.ask("GET", f"/v1/projects/local/locations/{location}/customJobs") == {}
    assert served.refused("GET", "/v1/projects/local/locations/us-central1/customJobs/a")["code"] == 404


def test_methods_that_are_not_emulated_say_so(served: Served) -> None:
    """A method of this API that the platform lacks is a 501 with its name."""
    error = served.refused("GET", f"{JOBS}/a:getIamPolicy")
    assert (error["code"], error["message"]) == (
        501, "The local platform does not emulate ml.projects.jobs.getIamPolicy.",
    )  # fmt: skip
