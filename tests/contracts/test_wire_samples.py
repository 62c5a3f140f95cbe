"""What Google's servers sent: our dialects read it, and the platform answers the same requests in the same shape."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cloudml_magic.dialects.aiplatform_v1 import batch, endpoints, jobs, models
from cloudml_magic.records import JobKind, Target
from cloudml_magic.states import JobState
from tests.local_platform.conftest import Served
from tests.local_platform.saved_models import write_model

from .samples import read

LOCATION = "/v1/projects/migration-ucaip-training/locations/us-central1"
BUCKET = "migration-ucaip-trainingaip-20210227173057"


def test_a_recorded_job_is_read() -> None:
    """Name, state, time and machine, in our words."""
    job = jobs.read_job(read("aiplatform_v1/customJobs_get").bodies["response"], Target.CLOUD)
    assert job.id == "2970106362064797696"
    assert (job.name, job.state, job.machine) == (
        "custom_job_TF_20210227173057", JobState.PREPARING, "1 × K80 · n1-standard-4",
    )  # fmt: skip
    assert job.created == 1614447064.494716
    assert (job.started, job.ended, job.failure) == (None, None, None)


def test_a_recorded_batch_prediction_is_read() -> None:
    """It runs since half a tenth of a second after its creation."""
    job = batch.read_job(read("aiplatform_v1/batchPredictionJobs_get").bodies["response"], Target.CLOUD)
    assert (job.kind, job.state, job.machine) == (JobKind.BATCH, JobState.RUNNING, "n1-standard-2")
    assert job.started is not None
    assert round(job.started - job.created, 6) == 0.051006


def test_recorded_results_of_operations_are_read() -> None:
    """An uploaded model had no version yet when it was recorded; an endpoint is known by its name alone."""
    uploaded = read("aiplatform_v1/models_upload").bodies["result"]
    assert models.read_uploaded(uploaded).endswith("/models/8844102097923211264@1")
    endpoint = endpoints.read_endpoint(read("aiplatform_v1/endpoints_create").bodies["result"])
    assert endpoint.resource_name.endswith("/endpoints/6810814827095654400")


def test_a_recorded_prediction_is_read() -> None:
    """Predictions, and who gave them."""
    answer = endpoints.read_answer(read("aiplatform_v1/endpoints_predict").bodies["response"])
    assert len(answer.predictions[0]) == 10
    assert answer.deployed_id == "2064302294823862272"


@pytest.fixture
def recorded(served: Served) -> Iterator[Served]:
    """A platform with the bucket, package and model of the recorded notebook."""
    bucket = served.places.buckets / BUCKET
    bucket.mkdir()
    (bucket / "trainer_cifar.tar.gz").write_bytes(b"package")
    (bucket / "test.jsonl").write_bytes(b'{"x": [1, 2]}\n')
    write_model(bucket / "custom_job_TF_20210227173057")
    yield served


def shape_lacks(google: Any, ours: Any, where: str = "") -> list[str]:
    """Where an answer of Google's has a field, or a kind of value, and ours has another or none."""
    if isinstance(google, dict) and isinstance(ours, dict):
        absent = [f"{where}.{name}" for name in google if name not in ours]
        return absent + [
            text for name in google if name in ours for text in shape_lacks(google[name], ours[name], f"{where}.{name}")
        ]
    if isinstance(google, list) and isinstance(ours, list):
        return [text for one, other in zip(google, ours, strict=False) for text in shape_lacks(one, other, where)]
    return [] if type(google) is type(ours) else [f"{where}: {google!r} and {ours!r}"]


def result_of(served: Served, operation: Any) -> Any:
    finished = served.ask("POST", f"/v1/{operation['name']}:wait?timeout=30s")
    assert finished["done"], finished
    return finished["response"]


def test_the_platform_answers_a_recorded_submission_in_google_s_shape(recorded: Served) -> None:
    """customJobs.create and get: what was sent comes back with the fields that a server adds."""
    sample = read("aiplatform_v1/customJobs_create")
    ours = recorded.ask("POST", f"{LOCATION}/customJobs", sample.bodies["request"])
    google = sample.bodies["response"]
    assert shape_lacks(google, ours) == []
    assert {**ours, **{name: google[name] for name in ("name", "state", "createTime", "updateTime")}} == google
    assert recorded.ask("GET", f"/v1/{ours['name']}") == ours


def test_the_platform_uploads_predicts_and_creates_in_google_s_shape(recorded: Served) -> None:
    """models.upload, batchPredictionJobs.create and get, endpoints.create."""
    sample = read("aiplatform_v1/models_upload")
    uploaded = result_of(recorded, recorded.ask("POST", f"{LOCATION}/models:upload", sample.bodies["request"]))
    assert shape_lacks(sample.bodies["result"], uploaded) == []
    sample = read("aiplatform_v1/batchPredictionJobs_create")
    ours = recorded.ask(
        "POST", f"{LOCATION}/batchPredictionJobs", {**sample.bodies["request"], "model": uploaded["model"]}
    )
    assert shape_lacks(sample.bodies["response"], ours) == []
    recorded.runner.run(ours["name"].rpartition("/")[2])
    running = recorded.ask("GET", f"/v1/{ours['name']}")
    assert shape_lacks(read("aiplatform_v1/batchPredictionJobs_get").bodies["response"], running) == []
    sample = read("aiplatform_v1/endpoints_create")
    created = result_of(recorded, recorded.ask("POST", f"{LOCATION}/endpoints", sample.bodies["request"]))
    assert shape_lacks(sample.bodies["result"], created) == []


def test_a_missing_field_would_be_noticed() -> None:
    """The comparison itself."""
    google = read("aiplatform_v1/customJobs_get").bodies["response"]
    ours = json.loads(json.dumps(google))
    del ours["jobSpec"]["workerPoolSpecs"][0]["diskSpec"]
    ours["createTime"] = 5
    assert shape_lacks(google, ours) == [
        ".jobSpec.workerPoolSpecs.diskSpec",
        ".createTime: '2021-02-27T17:31:04.494716Z' and 5",
    ]
