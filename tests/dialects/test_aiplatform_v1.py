"""Records to Vertex AI's calls and back."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cloudml_magic.dialects import aiplatform_v1 as dialect
from cloudml_magic.records import Accelerator, JobSpec, Machine, Target
from cloudml_magic.states import JobState

GOLDEN = Path(__file__).parent.parent / "goldens/create_job.json"
SPEC = JobSpec(
    name="digits",
    token="0123456789abcdef",
    package_uri="gs://b/packages/digits-1.tar.gz",
    package_sha256="f" * 64,
    module="cloudml_trainer.task",
    folder="gs://b/jobs/digits-0123456789abcdef",
    image="tensorflow/tensorflow:2.21.0-gpu",
    command=("python3", "-c", "BOOT"),
    machine=Machine(None, Accelerator("T4", 2), spot=True),
    arguments=("--width=64",),
    environment=(("KERAS_BACKEND", "tensorflow"), ("CLOUDML_SECRETS", "API_KEY"), ("API_KEY", "hush")),
    timeout_seconds=7200,
    labels=(("cloudml-name", "digits"),),
)


def test_a_submission_is_this_request() -> None:
    """The whole body, byte for byte what both places are sent."""
    call = dialect.create_job(SPEC, "p", "us-central1")
    assert call.method == "aiplatform.projects.locations.customJobs.create"
    assert call.parameters == {"parent": "projects/p/locations/us-central1"}
    assert call.body == json.loads(GOLDEN.read_text())


PACKAGE_IMAGE = "us-docker.pkg.dev/vertex-ai/training/tf-gpu.2-17.py310:latest"


def test_google_s_training_images_are_given_a_python_package() -> None:
    """As Google documents it: the image installs the package and runs its module; the runtime is told what to compare."""
    call = dialect.create_job(replace(SPEC, image=PACKAGE_IMAGE), "p", "us-central1")
    assert call.body == json.loads((GOLDEN.parent / "create_python_package_job.json").read_text())


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (PACKAGE_IMAGE, "pythonPackageSpec"),
        ("gcr.io/cloud-aiplatform/training/tf-cpu.2-1:latest", "pythonPackageSpec"),
        ("europe-docker.pkg.dev/vertex-ai/training/pytorch-gpu.2-4.py310@sha256:" + "0" * 64, "pythonPackageSpec"),
        ("tensorflow/tensorflow:2.21.0", "containerSpec"),
        ("us-docker.pkg.dev/me/my-vertex-ai/training:1", "containerSpec"),
        ("us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-15:latest", "containerSpec"),
    ],
)
def test_the_image_decides_what_kind_of_job_it_is(image: str, kind: str) -> None:
    """Only Google's own training images know how to install a package."""
    body = dialect.create_job(replace(SPEC, image=image), "p", "us-central1").body
    assert body is not None
    assert kind in body["jobSpec"]["workerPoolSpecs"][0]


def test_the_readable_request_shows_no_secret() -> None:
    """A dry run may be pasted into a chat."""
    masked = dialect.masked(dialect.create_job(SPEC, "p", "us-central1"), frozenset({"API_KEY"}))
    assert "hush" not in json.dumps(masked.body)
    assert {"name": "API_KEY", "value": "***"} in masked.body["jobSpec"]["workerPoolSpecs"][0]["containerSpec"]["env"]  # type: ignore[index]


def test_an_answer_becomes_a_snapshot() -> None:
    """State, times, folder, failure and machine, in our words."""
    body = {
        "name": "projects/1/locations/us-central1/customJobs/42",
        "displayName": "digits",
        "state": "JOB_STATE_FAILED",
        "createTime": "2026-01-02T03:04:05.000000Z",
        "startTime": "2026-01-02T03:04:06Z",
        "endTime": "2026-01-02T03:04:08Z",
        "error": {"code": 3, "message": "The replica workerpool0-0 exited with a non-zero status of 1."},
        "jobSpec": {
            "workerPoolSpecs": [
                {
                    "machineSpec": {
                        "machineType": "n1-standard-8",
                        "acceleratorType": "NVIDIA_TESLA_T4",
                        "acceleratorCount": 1,
                    }
                }
            ],
            "baseOutputDirectory": {"outputUriPrefix": "gs://b/jobs/digits-1/"},
        },
    }
    snapshot = dialect.read_job(body, Target.LOCAL)
    assert (snapshot.id, snapshot.name, snapshot.state) == ("42", "digits", JobState.FAILED)
    assert snapshot.folder == "gs://b/jobs/digits-1"
    assert snapshot.ended is not None
    assert snapshot.started is not None
    assert snapshot.ended - snapshot.started == 2
    assert snapshot.failure is not None
    assert snapshot.failure.message.startswith("The replica workerpool0-0")
    assert snapshot.machine == "1 × T4 · n1-standard-8"


def test_a_job_of_another_client_is_read_too() -> None:
    """Fields that are absent are no error."""
    snapshot = dialect.read_job({"name": "projects/1/locations/l/customJobs/7"}, Target.CLOUD)
    assert (snapshot.id, snapshot.state, snapshot.folder) == ("7", JobState.QUEUED, "")
