"""Vertex's SDK trains: real scripts and packages as real processes, from the call to the model that answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.batch.platform import Running

from .sessions import rewriting

pytestmark = pytest.mark.slow

TRAINING = "us-docker.pkg.dev/vertex-ai/training/tf-cpu.2-17.py310:latest"
SERVING = "us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-15:latest"
SCRIPT = """
import os, sys
import keras, numpy as np

x = np.random.default_rng(1).random((64, 2))
model = keras.Sequential([keras.layers.Dense(1)])
model.compile("adam", "mse")
history = model.fit(x, x.sum(1), epochs=int(sys.argv[1]), verbose=2)
model.save("/gcs/cloudml-local/" + os.environ["NAME"])
"""
FAILING = "raise SystemExit('no data')"


def credentials(vertex: Any) -> Any:
    """Those of `init`: CustomJob.from_local_script uploads without any unless it is given them."""
    return vertex.initializer.global_config.credentials


def logged(platform: Running, job: str) -> str:
    """All that a job has printed, as Cloud Logging tells it."""
    body = {
        "resourceNames": ["projects/local"],
        "filter": f'resource.type="ml_job" AND resource.labels.job_id="{job.rpartition("/")[2]}"',
    }
    entries = platform.ask("POST", "/v2/entries:list", body).get("entries", [])
    return "\n".join(each.get("textPayload", "") for each in entries)


def test_a_local_script_trains_as_a_custom_job(vertex: Any, platform: Running, tmp_path: Path) -> None:
    """CustomJob.from_local_script and run: packed, uploaded, installed and run; its file is in the bucket."""
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    job = vertex.CustomJob.from_local_script(
        display_name="from-script", script_path=str(script), container_uri=TRAINING, args=["2"],
        environment_variables={"NAME": "trained.keras"}, machine_type="n1-standard-4", credentials=credentials(vertex),
    )  # fmt: skip
    job.run(timeout=300)
    assert job.state.name == "JOB_STATE_SUCCEEDED"
    assert "Epoch 2/2" in logged(platform, job.resource_name)
    assert (platform.bucket / "trained.keras").stat().st_size > 0
    assert [each.display_name for each in vertex.CustomJob.list(filter='state="JOB_STATE_SUCCEEDED"')] == [
        "from-script"
    ]
    job.delete()
    assert vertex.CustomJob.list() == []


def test_a_package_is_trained_deployed_and_asked(vertex: Any, platform: Running, package: Path) -> None:
    """CustomPythonPackageTrainingJob.run gives a Model; deploy, predict and raw_predict through a session."""
    uri = platform.put("packages/trainer-0.1.tar.gz", package.read_bytes())
    training = vertex.CustomPythonPackageTrainingJob(
        display_name="sums", python_package_gcs_uri=uri, python_module_name="trainer.task", container_uri=TRAINING,
        model_serving_container_image_uri=SERVING, labels={"team": "a"},
    )  # fmt: skip
    model = training.run(
        model_display_name="sums", args=["--epochs", "40"], machine_type="n1-standard-4",
        base_output_dir="gs://cloudml-local/sums",
    )  # fmt: skip
    assert training.state.name == "PIPELINE_STATE_SUCCEEDED"
    assert (model.display_name, model.version_id, model.uri) == ("sums", "1", "gs://cloudml-local/sums/model")
    backing = vertex.CustomJob.get(training.gca_resource.training_task_metadata["backingCustomJob"])
    assert (backing.display_name, backing.state.name) == ("sums-custom-job", "JOB_STATE_SUCCEEDED")
    endpoint = model.deploy(machine_type="n1-standard-2")
    answer = endpoint.predict(instances=[[0.25, 0.5], [1, 2]])
    assert [row[0] for row in answer.predictions] == pytest.approx([0.75, 3.0], abs=0.2)
    endpoint.authorized_session = rewriting(platform.endpoint)
    raw = endpoint.raw_predict(b'{"instances": [[1, 2]]}', {"Content-Type": "application/json"})
    assert raw.json()["predictions"] == [answer.predictions[1]]
    with pytest.raises(Exception, match="has an explanation_spec, without which it explains nothing"):
        endpoint.explain(instances=[[1, 2]])
    endpoint.delete(force=True)
    model.delete()
    found = vertex.CustomPythonPackageTrainingJob.list(filter='display_name="sums"')
    assert [each.resource_name for each in found] == [training.resource_name]
    training.delete()
    assert vertex.CustomPythonPackageTrainingJob.list() == []


def test_a_script_without_a_model_is_a_pipeline_too(vertex: Any, platform: Running, tmp_path: Path) -> None:
    """CustomTrainingJob.run of a script; it gives no model."""
    script = tmp_path / "hello.py"
    script.write_text("import sys\nprint('hello', *sys.argv[1:])\n")
    training = vertex.CustomTrainingJob(display_name="hello", script_path=str(script), container_uri=TRAINING)
    assert training.run(args=["world"], machine_type="n1-standard-4") is None
    job = training.gca_resource.training_task_metadata["backingCustomJob"]
    assert "hello world" in logged(platform, job)
    training.delete()


def test_a_container_with_a_command_is_a_pipeline_too(vertex: Any, platform: Running) -> None:
    """CustomContainerTrainingJob.run: this Python stands in for the image."""
    training = vertex.CustomContainerTrainingJob(
        display_name="container", container_uri="tensorflow/tensorflow:2.21.0", command=["python3", "-c"],
    )  # fmt: skip
    training.run(args=["print(6 * 7)"], machine_type="n1-standard-4")
    assert "42" in logged(platform, training.gca_resource.training_task_metadata["backingCustomJob"])
    training.delete()


def test_a_failed_training_raises_with_its_cause(vertex: Any, platform: Running, tmp_path: Path) -> None:
    """What the script said is in the exception."""
    script = tmp_path / "fails.py"
    script.write_text(FAILING)
    training = vertex.CustomTrainingJob(display_name="fails", script_path=str(script), container_uri=TRAINING)
    with pytest.raises(RuntimeError, match=r"non-zero status of 1[^$]*no data"):
        training.run(machine_type="n1-standard-4")
    assert training.state.name == "PIPELINE_STATE_FAILED"
    training.delete()


def test_a_running_training_is_cancelled(vertex: Any, platform: Running, tmp_path: Path) -> None:
    """submit returns at once; cancel ends the process, and the pipeline says so."""
    script = tmp_path / "waits.py"
    script.write_text("import time\ntime.sleep(600)\n")
    training = vertex.CustomTrainingJob(display_name="waits", script_path=str(script), container_uri=TRAINING)
    training.submit(machine_type="n1-standard-4")
    job = training.gca_resource.training_task_metadata["backingCustomJob"]
    platform.wait(job, "JOB_STATE_RUNNING")
    training.cancel()
    training._block_until_complete()
    assert platform.get(job)["state"] == "JOB_STATE_CANCELLED"
    assert training.state.name == "PIPELINE_STATE_CANCELLED"
    training.delete()


def test_images_that_this_python_cannot_stand_in_for_are_refused_by_name(vertex: Any, tmp_path: Path) -> None:
    """At once, for the SDK's trainings as for its jobs."""
    script = tmp_path / "hello.py"
    script.write_text("print('hello')\n")
    image = "us-docker.pkg.dev/vertex-ai/training/scikit-learn-cpu.0-23:latest"
    training = vertex.CustomTrainingJob(display_name="sklearn", script_path=str(script), container_uri=image)
    with pytest.raises(Exception, match=f"The image {image} cannot run on the local platform"):
        training.run(machine_type="n1-standard-4")
    job = vertex.CustomJob.from_local_script(
        display_name="sklearn", script_path=str(script), container_uri=image, machine_type="n1-standard-4",
        credentials=credentials(vertex),
    )  # fmt: skip
    with pytest.raises(Exception, match=f"The image {image} cannot run on the local platform"):
        job.run()


def test_a_tuning_job_is_refused_in_words(vertex: Any) -> None:
    """With what to do instead."""
    from google.cloud.aiplatform import hyperparameter_tuning

    pools = [{"machine_spec": {"machine_type": "n1-standard-4"}, "replica_count": 1,
              "container_spec": {"image_uri": "tensorflow/tensorflow:2.21.0", "command": ["true"]}}]  # fmt: skip
    tuning = vertex.HyperparameterTuningJob(
        display_name="tuned", custom_job=vertex.CustomJob(display_name="trial", worker_pool_specs=pools),
        metric_spec={"loss": "minimize"}, max_trial_count=2, parallel_trial_count=1,
        parameter_spec={"lr": hyperparameter_tuning.DoubleParameterSpec(min=0.1, max=1, scale="log")},
    )  # fmt: skip
    with pytest.raises(Exception, match="It runs no tuning jobs: send a custom job for each trial"):
        tuning.run()
