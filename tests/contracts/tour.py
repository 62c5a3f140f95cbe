"""Asks a platform for everything that it serves, once: a step for each kind of resource."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote

from tests.batch.platform import BATCHES, PARENT, Running
from tests.jobs.test_packages import sdist
from tests.local_platform.conftest import JOB
from tests.local_platform.ml_v1.test_jobs import job as ml_job
from tests.local_platform.saved_models import write_model
from tests.local_platform.test_training_pipelines import pipeline

JOBS, MODELS, ENDPOINTS, PIPELINES, OPERATIONS = (
    f"{PARENT}/{name}" for name in ("customJobs", "models", "endpoints", "trainingPipelines", "operations")
)
ML = "/v1/projects/local"
BUCKETS = "/storage/v1/b"
OBJECTS = f"{BUCKETS}/cloudml-local/o"
UPLOADS = "/upload/storage/v1/b/cloudml-local/o"
SERVING = "us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-15:latest"


def ask_for_everything(platform: Running) -> None:
    """The whole tour; what is asked must succeed."""
    custom_jobs(platform)
    training_pipelines(platform)
    batch_predictions(platform)
    models(platform)
    endpoints(platform)
    buckets(platform)
    objects(platform)
    logs(platform)
    ml_jobs(platform)
    ml_models(platform)
    ml_project(platform)


def ended(platform: Running, url: str) -> None:
    """Sees a job or a pipeline to its end."""
    deadline = time.monotonic() + 60
    while "endTime" not in (found := platform.ask("GET", url)):
        assert time.monotonic() < deadline, found
        time.sleep(0.01)


def cancelled(platform: Running, url: str) -> None:
    """Cancels a job or a pipeline and sees it end."""
    platform.ask("POST", f"{url}:cancel", {})
    ended(platform, url)


def operation_asked(platform: Running, name: str) -> Any:
    """Everything that one can do with an operation, under its resource and under its location; its end."""
    parts = name.split("/")
    for url in dict.fromkeys((f"/v1/{name}", "/v1/" + "/".join([*parts[:4], *parts[-2:]]))):
        platform.ask("GET", url)
        platform.ask("GET", url.rpartition("/")[0])
        platform.ask("POST", f"{url}:wait?timeout=30s")
        platform.ask("POST", f"{url}:cancel", {})
    return platform.ask("GET", f"/v1/{name}")


def deleted(platform: Running, url: str) -> None:
    """Deletes a resource, and then the operation that did it, under the resource where it is named so."""
    name = platform.ask("DELETE", url)["name"]
    holder = url.partition(":")[0].partition("@")[0]
    for beneath in dict.fromkeys((f"/v1/{name}", f"{holder}/operations/{name.rpartition('/')[2]}")):
        operation_asked(platform, beneath.removeprefix("/v1/"))
    platform.ask("DELETE", f"{holder}/operations/{name.rpartition('/')[2]}")


def operation_deleted(platform: Running, name: str) -> None:
    """Forgets an operation that is done, under its location."""
    parts = name.split("/")
    platform.ask("DELETE", "/v1/" + "/".join([*parts[:4], *parts[-2:]]))


def custom_jobs(platform: Running) -> None:
    url = f"/v1/{platform.ask('POST', JOBS, JOB)['name']}"
    platform.ask("GET", f"{JOBS}?pageSize=1&filter=labels.cloudml-token%3Dt1")
    ended(platform, url)
    deleted(platform, url)
    waiting = {**JOB, "labels": {}}
    second = f"/v1/{platform.ask('POST', JOBS, _lasting(waiting))['name']}"
    cancelled(platform, second)
    operation_deleted(platform, platform.ask("DELETE", second)["name"])


def _lasting(job: dict[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(job))
    container = changed["jobSpec"]["workerPoolSpecs"][0]["containerSpec"]
    container.update(command=["sleep"], args=["600"])
    return changed


def training_pipelines(platform: Running) -> None:
    inputs = _lasting(JOB)["jobSpec"]
    body = pipeline(trainingTaskInputs=inputs)
    url = f"/v1/{platform.ask('POST', PIPELINES, body)['name']}"
    platform.ask("GET", PIPELINES)
    cancelled(platform, url)
    deleted(platform, url)


def batch_predictions(platform: Running) -> None:
    name = platform.send_batch(platform.put("rows.jsonl", b"[1, 2]\n" * 10))
    platform.ask("GET", BATCHES)
    platform.wait(name, "JOB_STATE_SUCCEEDED")
    platform.ask("DELETE", f"/v1/{name}")
    other = platform.send_batch(platform.put("rows.jsonl", b"[1, 2]\n" * 200_000))
    cancelled(platform, f"/v1/{other}")


def models(platform: Running) -> None:
    write_model(platform.bucket / "m")
    container = {"imageUri": SERVING}
    body = {"displayName": "m", "artifactUri": "gs://cloudml-local/m", "containerSpec": container}
    for request in ({"modelId": "m"}, {"parentModel": f"{MODELS.removeprefix('/v1/')}/m"}):
        operation = platform.ask("POST", f"{MODELS}:upload", {"model": body, **request})
        assert "response" in operation_asked(platform, operation["name"])
    url = f"{MODELS}/m"
    platform.ask("GET", f"{url}@1")
    platform.ask("GET", MODELS)
    platform.ask("GET", f"{url}:listVersions")
    platform.ask("PATCH", f"{url}?updateMask=description", {"description": "d"})
    platform.ask("POST", f"{url}@2:mergeVersionAliases", {"versionAliases": ["default", "golden"]})
    deleted(platform, f"{url}@1:deleteVersion")
    deleted(platform, url)


def endpoints(platform: Running) -> None:
    created = operation_asked(platform, platform.ask("POST", ENDPOINTS, {"displayName": "e"})["name"])
    url = f"/v1/{created['response']['name']}"
    resources = {"machineSpec": {"machineType": "n1-standard-2"}, "minReplicaCount": 1, "maxReplicaCount": 1}
    deployed = {"id": "5", "model": platform.model, "dedicatedResources": resources}
    body = {"deployedModel": deployed, "trafficSplit": {"0": 100}}
    assert "response" in operation_asked(platform, platform.ask("POST", f"{url}:deployModel", body)["name"])
    answer = platform.ask("POST", f"{url}:predict", {"instances": [[1, 2]]})
    assert answer["predictions"] == [[2.0, 4.0]]
    assert platform.send("POST", f"{url}:rawPredict", {"instances": [[1, 2]]})[0] == 200
    platform.refused("POST", f"{url}:explain", {"instances": [[1, 2]]})
    platform.ask("GET", url)
    platform.ask("GET", ENDPOINTS)
    platform.ask("PATCH", f"{url}?updateMask=displayName", {"displayName": "f"})
    change = {"deployedModel": {**deployed, "dedicatedResources": {**resources, "maxReplicaCount": 2}}}
    mutated = platform.ask(
        "POST", f"{url}:mutateDeployedModel", {**change, "updateMask": "dedicatedResources.maxReplicaCount"}
    )
    operation_asked(platform, mutated["name"])
    undeployed = platform.ask("POST", f"{url}:undeployModel", {"deployedModelId": "5"})
    operation_asked(platform, undeployed["name"])
    deleted(platform, url)


def buckets(platform: Running) -> None:
    platform.ask("POST", f"{BUCKETS}?project=local", {"name": "second-bucket"})
    for verb in ("GET", "PATCH", "PUT"):
        platform.ask(verb, f"{BUCKETS}/second-bucket", None if verb == "GET" else {"labels": {"a": "b"}})
    platform.ask("GET", f"{BUCKETS}?project=local")
    platform.ask("GET", f"{BUCKETS}/second-bucket/iam/testPermissions?permissions=storage.objects.get")
    platform.ask("DELETE", f"{BUCKETS}/second-bucket")


def objects(platform: Running) -> None:
    for name in ("a/1", "a/2"):
        platform.ask("POST", f"{UPLOADS}?uploadType=media&name={quote(name, safe='')}", name.encode())
    resumable(platform)
    url = f"{OBJECTS}/a%2F1"
    platform.ask("GET", f"{OBJECTS}?prefix=a/&delimiter=/")
    assert platform.send("GET", f"{url}?alt=media")[2] == b"a/1"
    platform.ask("GET", url)
    for verb in ("PATCH", "PUT"):
        platform.ask(verb, url, {"metadata": {"a": "b"}})
    sources = {"sourceObjects": [{"name": "a/1"}, {"name": "a/2"}]}
    platform.ask("POST", f"{OBJECTS}/whole/compose", sources)
    for verb in ("copyTo", "rewriteTo"):
        platform.ask("POST", f"{url}/{verb}/b/cloudml-local/o/again", {})
    platform.ask("DELETE", url)


def resumable(platform: Running) -> None:
    """An upload in one piece, and one that is given up."""
    for verb in ("PUT", "DELETE"):
        begun = platform.send("POST", f"{UPLOADS}?uploadType=resumable&name=r", {})
        address = begun[1]["location"].partition(platform.endpoint)[2]
        platform.send(verb, address, b"content" if verb == "PUT" else None)


def logs(platform: Running) -> None:
    platform.ask("POST", "/v2/entries:list", {"resourceNames": ["projects/local"], "filter": 'severity="ERROR"'})


def ml_jobs(platform: Running) -> None:
    code = {"trainer/__init__.py": "", "trainer/task.py": "import time\ntime.sleep(600)"}
    job = ml_job(packageUris=[platform.put("trainer.tar.gz", sdist("trainer", code))])
    jobs = f"{ML}/jobs"
    url = f"{jobs}/{platform.ask('POST', jobs, job)['jobId']}"
    platform.ask("GET", jobs)
    platform.ask("PATCH", f"{url}?updateMask=labels", {"labels": {"a": "b"}})
    platform.ask("GET", url)
    cancelled(platform, url)


def ml_models(platform: Running) -> None:
    models = f"{ML}/models"
    platform.ask("POST", models, {"name": "m"})
    platform.ask("GET", models)
    versions = f"{models}/m/versions"
    for name in ("v1", "v2"):
        body = {"name": name, "deploymentUri": "gs://cloudml-local/doubler", "runtimeVersion": "2.11"}
        ml_operation(platform, platform.ask("POST", versions, {**body, "pythonVersion": "3.7"})["name"])
    platform.ask("GET", versions)
    platform.ask("GET", f"{versions}/v1")
    ml_operation(platform, platform.ask("PATCH", f"{versions}/v1?updateMask=description", {"description": "d"})["name"])
    platform.ask("POST", f"{versions}/v2:setDefault", {})
    answer = platform.ask("POST", f"{models}/m:predict", {"instances": [[1, 2]]})
    assert answer == {"predictions": [{"x": [2.0, 4.0]}]}
    for url in (f"{versions}/v1", f"{versions}/v2"):
        ml_operation(platform, platform.ask("DELETE", url)["name"])
    ml_operation(platform, platform.ask("PATCH", f"{models}/m?updateMask=description", {"description": "d"})["name"])
    platform.ask("GET", f"{models}/m")
    platform.ask("DELETE", f"{models}/m")


def ml_operation(platform: Running, name: str) -> None:
    """Sees an operation of the older API to its end."""
    deadline = time.monotonic() + 60
    while not (found := platform.ask("GET", f"/v1/{name}")).get("done"):
        assert time.monotonic() < deadline, found
        time.sleep(0.01)
    assert "error" not in found, found
    platform.ask("GET", f"{ML}/operations")
    platform.ask("POST", f"/v1/{name}:cancel", {})


def ml_project(platform: Running) -> None:
    platform.ask("GET", f"{ML}:getConfig")
    platform.ask("GET", f"{ML}/locations")
    platform.ask("GET", f"{ML}/locations/us-central1")
