"""Training jobs of the older API as real processes: what runs, what it sees, how it is followed."""

from __future__ import annotations

import http.client
import json
from importlib.metadata import version
from typing import Any

import pytest

from tests.local_platform.conftest import TOKEN

from .conftest import JOBS, PROJECT, Running, checked, refusal_of, service_of

SHOW = "import json, os, sys; print(json.dumps([dict(os.environ), sys.argv[1:]]))"


def seen(platform: Running, id: str, replica: str = "workerpool0-0") -> Any:
    """The environment and arguments that a job printed."""
    return json.loads(platform.log(id, replica).splitlines()[-1])


def entries(platform: Running, filter: str) -> list[Any]:
    """Log entries, as gcloud asks for them."""
    body = {"resourceNames": ["projects/tutorial"], "filter": filter, "orderBy": "timestamp asc", "pageSize": 1000}
    return list(platform.ask("POST", "/v2/entries:list", body).get("entries", []))


def of(id: str) -> str:
    return f'(resource.type="ml_job" OR resource.type="cloudml_job") AND resource.labels.job_id="{id}"'


def test_the_books_job_runs_to_its_end(platform: Running) -> None:
    """Submitted as the book chapter does, with --job-dir: the package's module runs, writes to the bucket, succeeds."""
    code = (
        "import argparse\n"
        "parser = argparse.ArgumentParser()\n"
        "parser.add_argument('--job-dir')\n"
        "parser.add_argument('--epochs', type=int)\n"
        "given = parser.parse_args()\n"
        "open(given.job_dir + '/keras_export.txt', 'w').write(str(given.epochs))\n"
    )
    body = platform.training(
        "my_first_keras_job", code, jobDir="gs://cloudml-local/keras-job-dir", args=["--epochs", "2"],
        pythonVersion="3.5",
    )  # fmt: skip
    created = service_of(platform).projects().jobs().create(parent=PROJECT, body=body).execute()
    assert created["state"] in ("QUEUED", "PREPARING")
    ended = checked("Job", platform.wait("my_first_keras_job"))
    assert ended["state"] == "SUCCEEDED", ended
    assert ended["startTime"] <= ended["endTime"]
    assert ended["trainingOutput"] == {}
    written = platform.places.buckets / "cloudml-local" / "keras-job-dir" / "keras_export.txt"
    assert written.read_text("utf-8") == "2"


def test_the_log_begins_with_what_stands_in(platform: Running) -> None:
    """Where this machine differs from the one that was asked for, the job's log says so."""
    platform.run("a", "print('trained')", scaleTier="BASIC_GPU", pythonVersion="3.5")
    assert platform.log("a").splitlines() == [
        "The job asks for 1 × NVIDIA_TESLA_T4, but this machine has no GPU: it trains on the CPU.",
        f"This Python stands in for AI Platform runtime version 1.13 (Python 3.5): TensorFlow {version('tensorflow')}"
        f" instead of 1.13, Python {version_of_python()} instead of 3.5.",
        "trained",
    ]


def version_of_python() -> str:
    import sys

    return f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize(
    ("runtime", "chief"), [("1.13", "master"), ("2.0", "master"), ("2.1", "chief"), ("2.11", "chief")]
)
def test_a_job_sees_what_the_older_api_sets(platform: Running, runtime: str, chief: str) -> None:
    """TF_CONFIG always, ids, and nothing of Vertex AI; arguments first, then --job-dir."""
    given = {"args": ["--a", "b"], "jobDir": "gs://cloudml-local/dir", "runtimeVersion": runtime}
    assert platform.run("a", SHOW, **given)["state"] == "SUCCEEDED"
    environment, arguments = seen(platform, "a")
    assert arguments == ["--a", "b", "--job-dir", "gs://cloudml-local/dir"]
    assert environment["CLOUD_ML_JOB_ID"] == "a"
    assert environment["CLOUD_ML_PROJECT_ID"] == "1"
    assert not [name for name in environment if name.startswith("AIP_") or name == "CLUSTER_SPEC"]
    assert json.loads(environment["TF_CONFIG"]) == {
        "cluster": {chief: ["127.0.0.1:2222"]},
        "environment": "cloud",
        "task": {"type": chief, "index": 0, "trial": ""},
        "job": {
            "scale_tier": "BASIC", "package_uris": ["gs://cloudml-local/a.tar.gz"], "python_module": "trainer.task",
            "region": "us-central1", "runtime_version": runtime, "args": ["--a", "b"],
            "job_dir": "gs://cloudml-local/dir",
        },
    }  # fmt: skip


def test_several_machines_are_several_processes(platform: Running) -> None:
    """CUSTOM with workers and an evaluator: each is told its place, and the log names it as this API does."""
    fields = {
        "scaleTier": "CUSTOM", "masterType": "standard", "workerType": "complex_model_m", "workerCount": "2",
        "evaluatorType": "standard", "evaluatorCount": 1, "runtimeVersion": "2.1",
    }  # fmt: skip
    code = (
        "import json, os, pathlib, sys, time\n"
        "task = json.loads(os.environ['TF_CONFIG'])['task']\n"
        "print(json.dumps(dict(os.environ)), flush=True)\n"
        "seen = pathlib.Path(os.environ['HOME'], 'seen'); seen.mkdir(exist_ok=True)\n"
        "(seen / f\"{task['type']}-{task['index']}\").touch()\n"
        "deadline = time.monotonic() + 50\n"
        "while len(list(seen.iterdir())) < 4 and time.monotonic() < deadline: time.sleep(0.01)\n"
    )
    assert platform.run("many", code, **fields)["state"] == "SUCCEEDED"
    config = json.loads(json.loads(platform.log("many", "workerpool1-1").splitlines()[-1])["TF_CONFIG"])
    assert {role: len(addresses) for role, addresses in config["cluster"].items()} == {"chief": 1, "worker": 2}
    assert config["task"] == {"type": "worker", "index": 1, "trial": ""}
    names = {entry["resource"]["labels"]["task_name"] for entry in entries(platform, of("many"))}
    assert names == {"master-replica-0", "worker-replica-0", "worker-replica-1", "evaluator-replica-0"}


def test_a_tier_that_is_too_large_is_refused(platform: Running) -> None:
    """PREMIUM_1 is thirty-one machines."""
    error = platform.refused("POST", JOBS, platform.training("large", scaleTier="PREMIUM_1"))
    assert (error["code"], error["message"]) == (400, "This machine runs at most 16 replicas of one job.")


def test_a_container_of_a_known_image_runs_its_command(platform: Running) -> None:
    """masterConfig.imageUri with containerCommand and containerArgs; TF_CONFIG says `chief` if it was asked to."""
    given = {
        "scaleTier": "CUSTOM", "masterType": "n1-standard-4", "region": "us-central1", "useChiefInTfConfig": True,
        "masterConfig": {
            "imageUri": "tensorflow/tensorflow", "containerCommand": ["python3", "-c", SHOW], "containerArgs": ["x"],
        },
        "jobDir": "gs://cloudml-local/dir",
    }  # fmt: skip
    platform.ask("POST", JOBS, {"jobId": "boxed", "trainingInput": given})
    assert platform.wait("boxed")["state"] == "SUCCEEDED"
    environment, arguments = seen(platform, "boxed")
    assert arguments == ["x", "--job-dir", "gs://cloudml-local/dir"]
    assert json.loads(environment["TF_CONFIG"])["task"]["type"] == "chief"


def test_other_images_and_missing_packages_are_refused(platform: Running) -> None:
    """What cannot run here is no job."""
    config = {"imageUri": "gcr.io/p/mine", "containerCommand": ["true"]}
    given = {"scaleTier": "BASIC", "region": "r", "masterConfig": config}
    error = platform.refused("POST", JOBS, {"jobId": "a", "trainingInput": given})
    assert error["message"].startswith("The image gcr.io/p/mine cannot run on the local platform, which runs no")
    lost = platform.training("a", packageUris=["gs://cloudml-local/none.tar.gz"])
    assert platform.refused("POST", JOBS, lost)["message"] == (
        "The package gs://cloudml-local/none.tar.gz does not exist in the local buckets."
    )
    assert platform.ask("GET", JOBS) == {}


def test_a_failure_is_told_in_the_words_of_the_older_api(platform: Running) -> None:
    """The replica, its status, and the traceback."""
    ended = checked("Job", platform.run("broken", "raise ValueError('no data')"))
    assert ended["state"] == "FAILED"
    first, second, *rest = ended["errorMessage"].splitlines()
    assert first == "The replica master 0 exited with a non-zero status of 1. Termination reason: Error. "
    assert (second, rest[-1]) == ("Traceback (most recent call last):", "ValueError: no data")


def test_a_job_ends_when_its_time_is_over(platform: Running) -> None:
    """scheduling.maxRunningTime."""
    ended = platform.run("slow", "import time; time.sleep(60)", scheduling={"maxRunningTime": "1s"})
    assert ended["errorMessage"] == (
        "The replica master 0 ran longer than the job's timeout and was stopped. Raise --timeout, or train less."
    )


def test_a_running_job_is_cancelled(platform: Running) -> None:
    """CANCELLING, then CANCELLED; nothing of it is left."""
    platform.ask("POST", JOBS, platform.training("endless", "import time\nwhile True: time.sleep(1)"))
    platform.wait("endless", "RUNNING")
    assert platform.ask("POST", f"{JOBS}/endless:cancel", {}) == {}
    assert platform.job("endless")["state"] in ("CANCELLING", "CANCELLED")
    assert platform.wait("endless")["state"] == "CANCELLED"
    with pytest.raises(Exception) as caught:
        service_of(platform).projects().jobs().cancel(name=f"{PROJECT}/jobs/endless", body={}).execute()
    assert refusal_of(caught.value)[:2] == (400, "Cannot cancel an already completed job.")


def test_the_log_is_found_by_the_jobs_id(platform: Running) -> None:
    """As gcloud asks, with or without the task's name; other jobs' lines stay out."""
    platform.run("other", "print('not mine')")
    platform.run("mine", "import json; print('plain'); print(json.dumps({'severity': 'WARNING', 'message': 'said'}))")
    found = entries(platform, of("mine"))
    assert [entry.get("textPayload") or entry["jsonPayload"]["message"] for entry in found][-2:] == ["plain", "said"]
    assert found[-1]["severity"] == "WARNING"
    assert {(entry["resource"]["type"], entry["resource"]["labels"]["task_name"]) for entry in found} == {
        ("ml_job", "master-replica-0")
    }
    assert entries(platform, f'{of("mine")} AND resource.labels.task_name="master-replica-0"') == found
    assert entries(platform, f'{of("mine")} AND resource.labels.task_name="worker-replica-0"') == []


def test_the_event_stream_is_found_by_the_jobs_id(platform: Running) -> None:
    """`/cloudml/v1/jobs/ID/events`, its reported events read from the job's own folder, --job-dir."""
    code = (
        "import os, sys\nfolder = sys.argv[-1]\n"
        'open(folder + \'/events.jsonl\', \'w\').write(\'{"kind": "epoch", "time": 1, "epoch": 1}\\n\')\n'
        "print('hello')\n"
    )
    platform.run("followed", code, jobDir="gs://cloudml-local/followed")
    connection = http.client.HTTPConnection("127.0.0.1", platform.port, timeout=30)
    connection.request("GET", "/cloudml/v1/jobs/followed/events", headers={"Authorization": f"Bearer {TOKEN}"})
    text = connection.getresponse().read().decode()
    connection.close()
    events = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]
    assert [event["kind"] for event in events if event.get("text", "hello") == "hello"] == ["epoch", "log", "state"]
    assert events[-1]["state"] == "SUCCEEDED"
    told = platform.ask("GET", "/cloudml/v1/jobs/followed")
    assert (told["id"], told["name"], told["state"]) == ("followed", "projects/local/jobs/followed", "SUCCEEDED")
