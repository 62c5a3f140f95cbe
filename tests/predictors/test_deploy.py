"""From a SavedModel in the bucket to an answer, and back."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudml_magic.local_platform.jobs.process_table import with_variable
from cloudml_magic.local_platform.predictors.environment import OWNER
from cloudml_magic.local_platform.settings import PlatformSettings
from cloudml_magic.local_platform.wire import Request
from cloudml_magic.places import PlatformPlaces
from tests.long_counts import count, within

from .conftest import ENDPOINTS, MODELS, Serving, message, resources, running

pytestmark = pytest.mark.slow
NAME = "projects/1/locations/us-central1"


def processes(serving: Serving) -> list[int]:
    """Every process that the platform's predictors own."""
    return with_variable(f"{OWNER}={serving.places.predictors}")


def test_a_model_is_uploaded_deployed_asked_undeployed_and_deleted(serving: Serving) -> None:
    """Each operation is answered unfinished and ends; the answer of a prediction says which version gave it."""
    version = serving.upload(serving.put("sums"))
    endpoint = serving.create_endpoint()
    operation = serving.begin_deploy(endpoint, version, "7")
    assert operation["done"] is False
    assert operation["metadata"]["deploymentStage"] == "STARTING_DEPLOYMENT"
    finished = serving.done(operation)
    assert finished["metadata"]["deploymentStage"] == "SUCCESSFULLY_DEPLOYED"
    assert finished["response"]["deployedModel"]["id"] == "7"
    model = version.partition("@")[0]
    assert serving.predict(endpoint, [[1, 2], [3, 4]]) == {
        "predictions": [[3.0], [7.0]],
        "deployedModelId": "7",
        "model": model,
        "modelDisplayName": "sums",
        "modelVersionId": "1",
    }
    deployed = serving.ask("GET", f"/v1/{endpoint}")["deployedModels"]
    assert [(each["id"], each["model"], each["modelVersionId"]) for each in deployed] == [("7", model, "1")]
    assert deployed[0]["status"]["availableReplicaCount"] == 1
    assert deployed[0]["status"]["message"].startswith(("onnxruntime: ", "tensorflow: "))
    assert serving.ask("GET", f"/v1/{model}")["deployedModels"] == [{"endpoint": endpoint, "deployedModelId": "7"}]
    assert serving.ask("GET", "/cloudml/v1/status")["deployedModels"] == 1
    for path, text in (
        (f"/v1/{model}", f"The Model {model} is deployed or being deployed at the following Endpoint(s): {endpoint}."),
        (f"/v1/{endpoint}", f"Endpoint {endpoint} has deployed or being deployed DeployedModel(s): 7."),
    ):
        error = serving.refused("DELETE", path)
        assert (error["status"], error["message"].partition(" Undeploy")[0]) == ("FAILED_PRECONDITION", text)
    serving.undeploy(endpoint, "7")
    assert processes(serving) == []
    assert list(serving.places.predictors.iterdir()) == []
    assert "no deployed model" in serving.refused("POST", f"/v1/{endpoint}:predict", {"instances": []})["message"]
    serving.result(serving.ask("DELETE", f"/v1/{endpoint}"))
    serving.result(serving.ask("DELETE", f"/v1/{model}"))
    assert serving.ask("GET", MODELS) == serving.ask("GET", ENDPOINTS) == {}


def test_raw_predictions_pass_through(serving: Serving) -> None:
    """rawPredict hands body, content type and query on as they are, in Google's envelope too, and says who answered."""
    endpoint = serving.deployed()
    rows = np.array([[1, 2], [5, 6]], "float32")
    binary = io.BytesIO()
    np.save(binary, rows)
    path = f"/v1/{endpoint}:rawPredict"
    headers = {"Content-Type": "application/x-npy", "Accept": "application/x-npy"}
    status, said, content = serving.send("POST", f"{path}?signature_name=serving_default", binary.getvalue(), headers)
    assert (status, said["content-type"]) == (200, "application/x-npy")
    assert np.load(io.BytesIO(content)).tolist() == [[3.0], [11.0]]
    assert said["x-vertex-ai-endpoint-id"] == endpoint.rpartition("/")[2]
    assert (said["x-vertex-ai-deployed-model-id"], said["x-vertex-ai-model-version-id"]) == ("1", "1")
    assert said["x-vertex-ai-model"].startswith(f"{NAME}/models/")
    status, _, content = serving.send("POST", path, {"instances": [[1, 2]]}, {"Content-Type": "application/json"})
    assert (status, json.loads(content)) == (200, {"predictions": [[3.0]]})
    data = base64.b64encode(binary.getvalue()).decode()
    envelope = {"httpBody": {"contentType": "application/x-npy", "data": data}}
    status, _, content = serving.send("POST", path, envelope, {"Content-Type": "application/json"})
    assert (status, json.loads(content)) == (200, {"predictions": [[3.0], [11.0]]})
    status, _, content = serving.send("POST", f"{path}?signature_name=cows", binary.getvalue(), headers)
    assert status == 400 and b"cows" in content


def test_what_the_model_refuses_is_refused_in_googles_shape(serving: Serving) -> None:
    """The serving process's own words and status, in Google's error."""
    endpoint = serving.deployed()
    for body in ({"instances": [[1, 2, 3]]}, {"instances": "x"}, {"cows": 1}, b"{", b"", b"[" * 100_000, b"\xff"):
        error = serving.refused("POST", f"/v1/{endpoint}:predict", body)
        assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT") and len(error["message"]) > 10
    assert serving.refused("POST", f"/v1/{endpoint}:predict", b"x", {"Content-Type": "text/css"})["code"] in (400, 415)
    assert serving.predict(endpoint, [[1, 2]])["predictions"] == [[3.0]]


BODIES = st.binary(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["instances", "inputs", "x", "b64", "signature_name", "parameters"]), inner)
    ),
    max_leaves=10,
).map(lambda value: json.dumps(value).encode())


@settings(max_examples=count(3000, 150), deadline=None, suppress_health_check=list(HealthCheck))
@given(body=BODIES, kind=st.sampled_from(["application/json", "application/x-npy", "application/x-npz", "x/\ty", ""]))
def test_any_body_is_answered_or_refused(serving: Serving, body: bytes, kind: str) -> None:
    """Whatever a deployed model is sent, the answer comes soon, is no fault of ours, and the next one is right."""
    endpoint = next(iter(serving.ask("GET", ENDPOINTS).get("endpoints", [])), {}).get("name") or serving.deployed()
    for verb in ("predict", "rawPredict"):
        began = time.monotonic()
        status, _, content = serving.send("POST", f"/v1/{endpoint}:{verb}", body, {"Content-Type": kind})
        assert time.monotonic() - began < within(1)
        assert status < 500, content
        if verb == "predict" and status >= 400:
            assert json.loads(content)["error"]["code"] == status
    assert serving.predict(endpoint, [[1, 2]])["predictions"] == [[3.0]]


def test_the_library_answers_without_a_server(serving: Serving) -> None:
    """`LocalPlatform.handle` answers predictions too, also where an event loop runs already."""
    endpoint = serving.deployed()

    async def asked() -> Any:
        content = b'{"instances": [[1, 2]]}'
        request = Request("POST", f"/v1/{endpoint}:predict", body=io.BytesIO(content), length=len(content))
        return serving.platform.handle(request).json()

    assert asyncio.run(asked())["predictions"] == [[3.0]]


def test_traffic_is_split_and_moved(serving: Serving) -> None:
    """Two versions share an endpoint by percents; a header picks one; what goes must have lost its traffic."""
    endpoint = serving.deployed()
    serving.deploy(endpoint, serving.upload(serving.put("twice", 2)), "2", {"0": 40, "1": 60})
    found = {str(serving.predict(endpoint, [[1, 2]])["predictions"]) for _ in range(60)}
    assert found == {"[[3.0]]", "[[6.0]]"}
    for id, answer in (("1", [[3.0]]), ("2", [[6.0]])):
        said = serving.predict(endpoint, [[1, 2]], **{"x-cloudml-deployed-model": id})
        assert (said["deployedModelId"], said["predictions"]) == (id, answer)
    error = serving.refused("POST", f"/v1/{endpoint}:undeployModel", {"deployedModelId": "1"})
    assert (error["status"], error["message"]) == (
        "FAILED_PRECONDITION",
        f"DeployedModel 1 of {endpoint} still has traffic assigned to it. Say in traffic_split who gets it.",
    )
    patched = serving.ask("PATCH", f"/v1/{endpoint}?updateMask=trafficSplit", {"trafficSplit": {"2": 100}})
    assert patched["trafficSplit"] == {"2": 100}
    assert {serving.predict(endpoint, [[1, 2]])["deployedModelId"] for _ in range(20)} == {"2"}
    serving.ask("PATCH", f"/v1/{endpoint}?updateMask=trafficSplit", {})
    assert serving.refused("POST", f"/v1/{endpoint}:predict", {"instances": [[1, 2]]})["message"] == (
        "The endpoint has no deployed model that gets traffic."
    )
    serving.undeploy(endpoint, "1")
    serving.undeploy(endpoint, "2")
    assert "deployedModels" not in serving.ask("GET", f"/v1/{endpoint}")


def test_a_version_takes_over_without_a_failed_request(serving: Serving) -> None:
    """Clients that ask without pause notice nothing while one version is deployed and the other one goes."""
    endpoint = serving.deployed()
    version = serving.upload(serving.put("twice", 2))
    answers: list[tuple[int, Any]] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            status, _, content = serving.send("POST", f"/v1/{endpoint}:predict", {"instances": [[1, 2]]})
            answers.append((status, json.loads(content).get("predictions", content)))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    serving.deploy(endpoint, version, "2", {"0": 100})
    serving.undeploy(endpoint, "1")
    last = len(answers)
    while len(answers) < last + 20:
        time.sleep(0.01)
    over.set()
    for thread in threads:
        thread.join()
    assert {status for status, _ in answers} == {200}
    assert {str(found) for _, found in answers} == {"[[3.0]]", "[[6.0]]"}
    assert {str(found) for _, found in answers[last + 4 :]} == {"[[6.0]]"}


def test_requests_under_way_are_answered_before_a_version_goes(serving: Serving) -> None:
    """Undeploying waits for what the process has begun to answer."""
    endpoint = serving.deployed()
    os.kill(serving.pid(), signal.SIGSTOP)
    answers: list[int] = []
    asking = threading.Thread(
        target=lambda: answers.append(serving.send("POST", f"/v1/{endpoint}:predict", {"instances": [[1, 2]]})[0])
    )
    asking.start()
    predictor = next(iter(serving.platform.deployments._predictors.values()))
    while not predictor._under_way:
        time.sleep(0.01)
    operation = serving.ask("POST", f"/v1/{endpoint}:undeployModel", {"deployedModelId": "1"})
    while predictor.begin():
        predictor.end()
    assert serving.ask("GET", f"/v1/{operation['name']}")["done"] is False
    os.kill(serving.pid(), signal.SIGCONT)
    serving.result(operation)
    asking.join()
    assert answers == [200]


def test_a_model_that_is_touched_while_it_is_read_does_not_answer(serving: Serving) -> None:
    """Also one that looks as before when it is read: nobody knows what was loaded. The next start is a good one."""
    endpoint = serving.create_endpoint()
    version = serving.upload(serving.put("sums"))
    file = serving.places.buckets / "cloudml-local" / "sums" / "saved_model.pb"
    content = file.read_bytes()
    serving.deploy(endpoint, version, "1")  # Converted now, so that the next start is quick.
    operation = serving.begin_deploy(endpoint, version, "2", {"1": 100})
    while len(processes(serving)) < 2:
        time.sleep(0.005)
    file.write_bytes(b"swapped")
    file.write_bytes(content)
    error = serving.done(operation)["error"]
    assert error["code"] == 9
    assert error["message"].endswith(
        " cannot start: The model in gs://cloudml-local/sums was changed while it was read."
    )
    serving.deploy(endpoint, version, "2", {"0": 100})
    assert serving.predict(endpoint, [[1, 2]])["deployedModelId"] == "2"


def test_tensorflow_serves_where_the_fast_engine_is_off(
    serving_places: PlatformPlaces, exported: dict[int, Path]
) -> None:
    """The reference engine gives the same answer, and the endpoint says which one serves."""
    with running(serving_places, exported, PlatformSettings(fast_engine=False)) as serving:
        endpoint = serving.deployed()
        assert serving.predict(endpoint, [[1, 2]])["predictions"] == [[3.0]]
        said = serving.ask("GET", f"/v1/{endpoint}")["deployedModels"][0]["status"]["message"]
        assert said == "tensorflow: No fast engine was asked for."


def test_a_model_that_is_not_certified_is_served_by_tensorflow_and_says_why(serving: Serving) -> None:
    """The reason is the certificate's own: here a model that answers everything alike, so that nothing is shown."""
    endpoint = serving.deployed(0)
    assert serving.predict(endpoint, [[1, 2]])["predictions"] == [[0.0]]
    said = serving.ask("GET", f"/v1/{endpoint}")["deployedModels"][0]["status"]["message"]
    assert said == ("tensorflow: The model answers all trial inputs alike, so nothing is shown by agreeing on them.")


@pytest.mark.parametrize("stage", ["PREPARING_MODEL", "STARTING_MODEL_SERVER"])
def test_a_cancelled_deployment_leaves_nothing(serving: Serving, stage: str) -> None:
    """Cancelled half way, the operation ends as cancelled, the endpoint is as it was, and no process is left."""
    endpoint = serving.create_endpoint()
    # A digest of its own: it has to be converted first.
    uri = serving.put(stage.lower())
    (serving.places.buckets / "cloudml-local" / stage.lower() / "assets").mkdir(exist_ok=True)
    (serving.places.buckets / "cloudml-local" / stage.lower() / "assets" / "words").write_text(stage)
    operation = serving.begin_deploy(endpoint, serving.upload(uri), "1")
    while operation["metadata"]["deploymentStage"] != stage or not processes(serving):
        assert not operation["done"]
        time.sleep(0.02)
        operation = serving.ask("GET", f"/v1/{operation['name']}")
    assert serving.ask("POST", f"/v1/{operation['name']}:cancel") == {}
    ended = serving.done(operation)
    assert ended["error"] == {"code": 1, "message": "The operation was cancelled."}
    assert ended["metadata"]["deploymentStage"] == "DEPLOYMENT_TERMINATED"
    assert "deployedModels" not in serving.ask("GET", f"/v1/{endpoint}")
    assert processes(serving) == [] and list(serving.places.predictors.iterdir()) == []


def test_replicas_are_mutated_and_nothing_else(serving: Serving) -> None:
    """The mask names what changes; machine and model stay."""
    endpoint = serving.deployed()
    changed = {"id": "1", "dedicatedResources": {"maxReplicaCount": 3}}
    path = f"/v1/{endpoint}:mutateDeployedModel"
    mask = "dedicated_resources.max_replica_count"
    finished = serving.result(serving.ask("POST", path, {"deployedModel": changed, "updateMask": mask}))
    assert finished["deployedModel"]["dedicatedResources"] == {**resources(), "maxReplicaCount": 3}
    found = serving.ask("GET", f"/v1/{endpoint}")["deployedModels"][0]
    assert found["dedicatedResources"] == {**resources(), "maxReplicaCount": 3}
    error = serving.refused("POST", path, {"deployedModel": changed, "updateMask": "model"})
    assert error["message"].startswith("update_mask: only dedicatedResources.autoscalingMetricSpecs")


def test_a_model_that_was_swapped_is_refused(serving: Serving) -> None:
    """Other files than those that were uploaded are not deployed, and not loaded again either."""
    uri = serving.put("sums")
    version = serving.upload(uri)
    endpoint = serving.create_endpoint()
    serving.deploy(endpoint, version, "1")
    folder = serving.places.buckets / "cloudml-local" / "sums"
    other = serving.exported[2] / "variables" / "variables.data-00000-of-00001"
    (folder / "variables" / other.name).write_bytes(other.read_bytes())
    text = (
        f"The model in {uri} is not the one that was uploaded as {version}: variables/{other.name} has changed."
        " Upload it as a new version."
    )
    error = serving.done(serving.begin_deploy(endpoint, version, "2", {"1": 100}))["error"]
    assert error == {"code": 9, "message": text}
    predictor = next(iter(serving.platform.deployments._predictors.values()))
    predictor._idle_seconds = 0.0
    while predictor.is_running or processes(serving):
        time.sleep(0.01)
    for _ in range(3):
        refused = serving.send("POST", f"/v1/{endpoint}:predict", {"instances": [[1, 2]]})
        assert (refused[0], message(refused)) == (400, text)
    assert processes(serving) == []
