"""Vertex AI's trainingPipelines: a custom job, and behind it a model, over a real socket and held against the schema."""

from __future__ import annotations

import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.local_platform.platform import LocalPlatform
from cloudml_magic.states import JobState

from .conftest import JOBS, Served, StateRunner
from .saved_models import write_model

PIPELINES = "/v1/projects/local/locations/us-central1/trainingPipelines"
MODELS = "/v1/projects/local/locations/us-central1/models"
TASK = "gs://google-cloud-aiplatform/schema/trainingjob/definition/custom_task_1.0.0.yaml"
SERVING = "us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-15:latest"
# As Vertex's SDK writes them: snake_case, and every number a float.
INPUTS = {
    "worker_pool_specs": [
        {
            "replica_count": 1.0,
            "machine_spec": {"machine_type": "n1-standard-4"},
            "disk_spec": {"boot_disk_type": "pd-ssd", "boot_disk_size_gb": 100.0},
            "python_package_spec": {
                "executor_image_uri": "us-docker.pkg.dev/vertex-ai/training/tf-cpu.2-17.py310:latest",
                "python_module": "trainer.task",
                "package_uris": ["gs://cloudml-local/trainer.tar.gz"],
                "args": ["--epochs", "3"],
            },
        }
    ],
    "base_output_directory": {"output_uri_prefix": "gs://cloudml-local/out"},
}


def pipeline(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "displayName": "flowers",
        "trainingTaskDefinition": TASK,
        "trainingTaskInputs": INPUTS,
        "modelToUpload": {"displayName": "flowers", "containerSpec": {"imageUri": SERVING}},
        "labels": {"team": "a"},
    }
    return deepcopy({**body, **changes})


def create(served: Served, body: Any = None) -> tuple[str, str]:
    """The URL of a new pipeline, and the id of its custom job."""
    made = served.ask("POST", PIPELINES, body or pipeline())
    return f"/v1/{made['name']}", made["trainingTaskMetadata"]["backingCustomJob"].rpartition("/")[2]


def ended(served: Served, url: str) -> Any:
    """The pipeline when it has ended."""
    deadline = time.monotonic() + 20
    while "endTime" not in (found := served.ask("GET", url)):
        assert time.monotonic() < deadline, found
        time.sleep(0.005)
    return found


def trained(served: Served, job: str) -> None:
    served.runner.run(job)
    served.runner.finish(job)


def model_folder(served: Served) -> Path:
    return served.places.buckets / "cloudml-local" / "out" / "model"


def test_a_pipeline_is_backed_by_a_real_custom_job(served: Served) -> None:
    """Its inputs come in snake_case with floats; the job has them in the schema's form, and the pipeline's labels."""
    url, job = create(served)
    assert served.runner.submitted == [job]
    body = served.ask("GET", f"{JOBS}/{job}")
    assert (body["displayName"], body["labels"]) == ("flowers-custom-job", {"team": "a"})
    pool = body["jobSpec"]["workerPoolSpecs"][0]
    assert (pool["replicaCount"], pool["diskSpec"]["bootDiskSizeGb"]) == ("1", 100)
    assert pool["pythonPackageSpec"]["packageUris"] == ["gs://cloudml-local/trainer.tar.gz"]
    found = served.ask("GET", url)
    assert found["trainingTaskInputs"] == INPUTS
    assert found["trainingTaskMetadata"] == {"backingCustomJob": body["name"]}


def test_a_pipeline_goes_through_its_job_s_states_and_ends_with_a_model(served: Served) -> None:
    """PENDING, RUNNING, SUCCEEDED; the model is the one that the job left where Vertex tells it to."""
    url, job = create(served)
    assert served.ask("GET", url)["state"] == "PIPELINE_STATE_PENDING"
    served.runner.run(job)
    running = served.ask("GET", url)
    assert (running["state"], "startTime" in running, "endTime" in running) == ("PIPELINE_STATE_RUNNING", True, False)
    write_model(model_folder(served))
    served.runner.finish(job)
    done = ended(served, url)
    assert done["state"] == "PIPELINE_STATE_SUCCEEDED"
    assert done["modelToUpload"]["versionId"] == "1"
    model = served.ask("GET", f"/v1/{done['modelToUpload']['name']}")
    assert model["artifactUri"] == "gs://cloudml-local/out/model"
    assert model["versionAliases"] == ["default"]
    assert model["trainingPipeline"] == done["name"]


def test_a_pipeline_may_add_a_version_to_a_model(served: Served) -> None:
    """By parentModel; by modelId it names a new one."""
    write_model(model_folder(served))
    url, job = create(served, pipeline(modelId="flowers"))
    trained(served, job)
    assert ended(served, url)["modelToUpload"]["name"].endswith("/models/flowers")
    parent = f"{MODELS.removeprefix('/v1/')}/flowers"
    url, job = create(served, pipeline(parentModel=parent))
    trained(served, job)
    assert ended(served, url)["modelToUpload"]["versionId"] == "2"


def test_a_pipeline_without_a_model_ends_with_its_job(served: Served) -> None:
    """And uploads nothing."""
    body = pipeline()
    del body["modelToUpload"]
    url, job = create(served, body)
    trained(served, job)
    done = ended(served, url)
    assert (done["state"], "modelToUpload" in done) == ("PIPELINE_STATE_SUCCEEDED", False)
    assert served.ask("GET", MODELS) == {}


def test_a_pipeline_fails_with_its_job_s_error(served: Served) -> None:
    """Code and message are the job's own."""
    url, job = create(served)
    served.runner.run(job)
    message = "The replica workerpool0-0 exited with a non-zero status of 1."
    served.runner.resources.update_job(job, state=JobState.FAILED, ended=time.time(), error=(3, message))
    done = ended(served, url)
    assert (done["state"], done["error"]) == ("PIPELINE_STATE_FAILED", {"code": 3, "message": message})


def test_a_job_that_leaves_no_model_fails_its_pipeline(served: Served) -> None:
    """In the words of an upload that finds none."""
    url, job = create(served)
    model_folder(served).mkdir(parents=True)
    trained(served, job)
    done = ended(served, url)
    assert done["state"] == "PIPELINE_STATE_FAILED"
    assert done["error"] == {
        "code": 9,
        "message": "Model directory gs://cloudml-local/out/model is expected to contain exactly one of:"
        " [saved_model.pb, saved_model.pbtxt].",
    }


def test_cancelling_a_pipeline_cancels_its_job(served: Served) -> None:
    """What has ended cannot be cancelled any more."""
    url, job = create(served)
    assert served.ask("POST", f"{url}:cancel", {}) == {}
    assert ended(served, url)["state"] == "PIPELINE_STATE_CANCELLED"
    assert served.ask("GET", f"{JOBS}/{job}")["state"] == "JOB_STATE_CANCELLED"
    refused = served.refused("POST", f"{url}:cancel", {})
    assert refused["status"] == "FAILED_PRECONDITION"
    name = url.removeprefix("/v1/")
    assert refused["message"] == (
        f"TrainingPipeline {name} is in state PIPELINE_STATE_CANCELLED; it cannot be cancelled."
    )


def test_pipelines_are_listed_and_deleted_when_they_have_ended(served: Served) -> None:
    """Filtered and in pages; the custom job stays, as at Google."""
    urls = [create(served, pipeline(displayName=name)) for name in ("one", "two", "three")]
    listed = served.ask("GET", f"{PIPELINES}?filter=display_name%3D%22two%22")
    assert [each["displayName"] for each in listed["trainingPipelines"]] == ["two"]
    first = served.ask("GET", f"{PIPELINES}?pageSize=2")
    assert [each["displayName"] for each in first["trainingPipelines"]] == ["three", "two"]
    second = served.ask("GET", f"{PIPELINES}?pageSize=2&pageToken={first['nextPageToken']}")
    assert [each["displayName"] for each in second["trainingPipelines"]] == ["one"]
    url, job = urls[0]
    assert "cancel it before deleting it" in served.refused("DELETE", url)["message"]
    served.ask("POST", f"{url}:cancel", {})
    ended(served, url)
    assert served.ask("DELETE", url)["done"] is True
    assert served.refused("GET", url)["code"] == 404
    assert served.ask("GET", f"{JOBS}/{job}")["state"] == "JOB_STATE_CANCELLED"


def test_a_job_deleted_under_its_pipeline_does_not_hang_it(served: Served) -> None:
    """A pipeline whose job is gone before its end was seen has failed, and says why."""
    url, job = create(served)
    with served.platform.resources._database.transaction():
        trained(served, job)
        stored = served.platform.resources.job(job)
        assert stored is not None
        served.platform.resources.delete_job(stored)
    done = ended(served, url)
    assert done["error"] == {"code": 5, "message": "The pipeline's custom job was deleted before its end was seen."}


def test_the_next_platform_takes_pipelines_up(served: Served) -> None:
    """A job that ended while nobody looked still ends its pipeline, and its model is uploaded."""
    url, job = create(served)
    served.platform._follower.close()
    write_model(model_folder(served))
    trained(served, job)
    assert served.ask("GET", url)["state"] == "PIPELINE_STATE_RUNNING"
    assert not served.platform.is_idle()
    next_one = LocalPlatform(served.places, StateRunner)
    next_one.start()
    try:
        assert ended(served, url)["state"] == "PIPELINE_STATE_SUCCEEDED"
    finally:
        next_one.close()
    assert served.platform.is_idle()


@pytest.mark.parametrize(
    ("changes", "status", "text"),
    [
        ({"displayName": ""}, "INVALID_ARGUMENT", "Field: training_pipeline.display_name; Message: Required"),
        ({"trainingTaskInputs": None}, "INVALID_ARGUMENT", "training_pipeline.training_task_inputs; Message: Required"),
        ({"trainingTaskInputs": {"cow": 1}}, "INVALID_ARGUMENT", 'Unknown name "cow": Cannot find field.'),
        ({"trainingTaskInputs": {"worker_pool_specs": []}}, "INVALID_ARGUMENT", "job_spec.worker_pool_specs; Message"),
        ({"trainingTaskInputs": {**INPUTS, "base_output_directory": None}}, "INVALID_ARGUMENT",
         "training_pipeline.model_to_upload.artifact_uri; Message: Required on the local platform"),
        ({"modelToUpload": {"displayName": "m", "containerSpec": {"imageUri": "me/mine"}}}, "INVALID_ARGUMENT",
         "The image me/mine cannot serve on the local platform"),
        ({"trainingTaskDefinition": TASK.replace("custom_task", "automl_tabular")}, "UNIMPLEMENTED",
         "does not emulate the training task gs://google-cloud-aiplatform/schema/trainingjob/definition/automl_tabular"),
        ({"inputDataConfig": {"datasetId": "1"}}, "UNIMPLEMENTED", "does not emulate managed datasets"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_here_is_refused(served: Served, changes: Any, status: str, text: str) -> None:
    """Before any job exists."""
    refused = served.refused("POST", PIPELINES, pipeline(**changes))
    assert refused["status"] == status
    assert text in refused["message"]
    assert served.runner.submitted == []
    assert served.ask("GET", PIPELINES) == served.ask("GET", JOBS) == {}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("hyperparameterTuningJobs", "hyperparameterTuningJobs.create. It runs no tuning jobs: send a custom job for"),
        ("pipelineJobs", "pipelineJobs.create. It runs no pipelines of components"),
        ("indexes", "indexes.create."),
    ],
)
def test_what_is_not_emulated_says_what_to_do_instead(served: Served, path: str, text: str) -> None:
    """501 with the method's name."""
    refused = served.refused("POST", f"/v1/projects/local/locations/us-central1/{path}", {})
    assert refused["status"] == "UNIMPLEMENTED"
    assert text in refused["message"]
