"""What goes wrong with a serving process, or with the platform that owns it: told truly, and over soon."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.local_platform import lifecycle
from cloudml_magic.local_platform.address import PlatformAddress
from cloudml_magic.local_platform.jobs.process_table import boot_id, is_alive, start_time, with_variable
from cloudml_magic.local_platform.predictors.environment import OWNER
from cloudml_magic.local_platform.predictors.memory import memory_limit
from cloudml_magic.local_platform.resources.operations import typed
from cloudml_magic.local_platform.settings import PlatformSettings
from cloudml_magic.places import PlatformPlaces
from cloudml_magic.states import DeploymentState
from tests.local_platform.conftest import TOKEN
from tests.long_counts import within

from .conftest import ENDPOINTS, IMAGE, MODELS, Serving, message, resources, running

pytestmark = pytest.mark.slow


def predictor_of(serving: Serving) -> Any:
    return next(iter(serving.platform.deployments._predictors.values()))


def status_message(serving: Serving, endpoint: str) -> str:
    return str(serving.ask("GET", f"/v1/{endpoint}")["deployedModels"][0]["status"]["message"])


def test_a_process_killed_in_mid_request(serving: Serving) -> None:
    """That request gets 503 with Retry-After; the next one is answered by a new process."""
    endpoint = serving.deployed()
    pid = serving.pid()
    os.kill(pid, signal.SIGSTOP)
    answers: list[tuple[int, dict[str, str], bytes]] = []
    asking = threading.Thread(
        target=lambda: answers.append(serving.send("POST", f"/v1/{endpoint}:predict", {"instances": [[1, 2]]}))
    )
    asking.start()
    while not predictor_of(serving)._under_way:
        time.sleep(0.01)
    time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    asking.join()
    assert serving.predict(endpoint, [[1, 2]])["predictions"] == [[3.0]]
    status, headers, _ = answers[0]
    assert (status, headers["retry-after"]) == (503, "1")
    assert message(answers[0]).startswith("The serving process ended while it answered this request.")
    assert serving.pid() != pid


def test_slow_predictions_leave_room_for_everything_else(serving: Serving) -> None:
    """Forty requests that hang in a serving process do not keep the platform from answering others."""
    endpoint = serving.deployed()
    os.kill(serving.pid(), signal.SIGSTOP)
    statuses: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: statuses.append(serving.send("POST", f"/v1/{endpoint}:predict", {"instances": [[1, 2]]})[0])
        )
        for _ in range(40)
    ]
    for thread in threads:
        thread.start()
    while predictor_of(serving)._under_way < 40:
        time.sleep(0.01)
    began = time.monotonic()
    for _ in range(20):
        serving.ask("GET", f"/v1/{endpoint}")
    assert time.monotonic() - began < within(1)
    os.kill(serving.pid(), signal.SIGCONT)
    for thread in threads:
        thread.join()
    assert statuses == [200] * 40


def test_too_many_requests_at_once_are_refused(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a number under way a request gets 429 with Retry-After at once."""
    from cloudml_magic.local_platform.predictors import predictor

    endpoint = serving.deployed()
    monkeypatch.setattr(predictor, "MOST_UNDER_WAY", 0)
    status, headers, _ = serving.send("POST", f"/v1/{endpoint}:predict", {"instances": [[1, 2]]})
    assert (status, headers["retry-after"]) == (429, "1")


def test_a_model_sleeps_when_nobody_asks_and_wakes_when_somebody_does(serving: Serving) -> None:
    """The process ends after a while without requests; the next request is answered late, not refused."""
    endpoint = serving.deployed()
    pid, started = serving.pid(), start_time(serving.pid())
    predictor_of(serving)._idle_seconds = 0.1
    while is_alive(pid, started, boot_id()):
        time.sleep(0.01)
    assert status_message(serving, endpoint).endswith(" Asleep until the next request.")
    assert serving.ask("GET", "/cloudml/v1/status")["runningPredictors"] == 0
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(serving.predict(endpoint, [[1, 2]]))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each["predictions"] for each in answers] == [[[3.0]]] * 5


def test_a_request_that_woke_a_model_is_answered_though_it_is_undeployed(serving: Serving) -> None:
    """Undeploying waits for a start that somebody waits for."""
    endpoint = serving.deployed()
    predictor = predictor_of(serving)
    predictor._idle_seconds = 0.0
    while predictor.is_running:
        time.sleep(0.01)
    predictor._idle_seconds = 900.0
    statuses: list[int] = []
    asking = threading.Thread(
        target=lambda: statuses.append(serving.send("POST", f"/v1/{endpoint}:predict", {"instances": [[1, 2]]})[0])
    )
    asking.start()
    while predictor.state != DeploymentState.STARTING:
        time.sleep(0.001)
    serving.undeploy(endpoint, "1")
    asking.join()
    assert statuses == [200]
    assert with_variable(f"{OWNER}={serving.places.predictors}") == []


def test_a_process_that_takes_too_much_memory_is_ended(serving: Serving) -> None:
    """It is ended with a reason that names the limit and the setting."""
    endpoint = serving.deployed()
    predictor = predictor_of(serving)
    predictor._memory_limit = 20 * 1024 * 1024
    predictor._failures = 3
    while not predictor._why_ended:
        time.sleep(0.01)
    refused = serving.send("POST", f"/v1/{endpoint}:predict", {"instances": [[1, 2]]})
    assert refused[0] == 503 and int(refused[1]["retry-after"]) >= 1
    held = message(refused).partition(" held ")[2]
    assert held.partition(" of memory")[0].endswith(" MB")
    assert held.partition(" of memory, ")[2] == (
        "more than its limit of 20 MB, and was ended. Set CLOUDML_PLATFORM_PREDICTOR_MEMORY_MB to allow more, or send"
        " smaller requests."
    )
    assert status_message(serving, endpoint) == message(refused)
    predictor._memory_limit = 20 << 30
    while serving.send("POST", f"/v1/{endpoint}:predict", {"instances": [[1, 2]]})[0] != 200:
        time.sleep(0.1)


def test_a_version_that_dies_at_its_start_says_why(serving: Serving) -> None:
    """The operation fails with the last lines that the process wrote; nothing is deployed."""
    container = {"imageUri": IMAGE, "env": [{"name": "PYTHONHOME", "value": "/nowhere"}]}
    version = serving.upload(serving.put("sums"), model={"containerSpec": container})
    endpoint = serving.create_endpoint()
    error = serving.done(serving.begin_deploy(endpoint, version, "1"))["error"]
    assert error["code"] == 9
    assert (
        "cannot start: The serving process ended with exit code 1 before it answered. Its last lines:"
        in error["message"]
    )
    assert "No module named 'encodings'" in error["message"]
    assert "deployedModels" not in serving.ask("GET", f"/v1/{endpoint}")


def test_deployments_come_back_with_the_platform(serving_places: PlatformPlaces, exported: dict[int, Path]) -> None:
    """A platform that stops ends its processes; the next one answers the same requests."""
    with running(serving_places, exported, PlatformSettings()) as first:
        endpoint = first.deployed()
        pid, started = first.pid(), start_time(first.pid())
    assert not is_alive(pid, started, boot_id())
    with running(serving_places, exported, PlatformSettings()) as second:
        assert status_message(second, endpoint).endswith(" Asleep until the next request.")
        assert second.predict(endpoint, [[1, 2]])["predictions"] == [[3.0]]


def test_an_undeployment_that_was_promised_is_done_by_the_next_platform(
    serving_places: PlatformPlaces, exported: dict[int, Path]
) -> None:
    """Wherever the platform died in it: before the traffic moved, or after."""
    with running(serving_places, exported, PlatformSettings()) as first:
        endpoint = first.deployed()
        id = endpoint.rpartition("/")[2]
        metadata = typed("UndeployModelOperationMetadata", {})
        arguments = {"endpoint": id, "id": "1", "traffic": {}}
        operation = first.platform.operations.begin(
            "undeploy_model", "us-central1", f"endpoints/{id}", metadata, arguments
        )
        first.ask("PATCH", f"/v1/{endpoint}?updateMask=trafficSplit", {})
    with running(serving_places, exported, PlatformSettings()) as second:
        second.result(operation)
        assert "deployedModels" not in second.ask("GET", f"/v1/{endpoint}")
        assert second.ask("GET", "/cloudml/v1/status")["deployedModels"] == 0


def test_a_serving_process_knows_nothing_of_the_platform(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment has what Vertex sets and no token; it works in a folder of its own and listens on no port."""
    monkeypatch.setenv("CLOUDML_CANARY", TOKEN)
    monkeypatch.setenv("JUPYTER_TOKEN", TOKEN)
    endpoint = serving.deployed()
    pid = serving.pid()
    content = Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes()
    assert TOKEN.encode() not in content
    variables = dict(part.split("=", 1) for part in content.decode().split("\0") if "=" in part)
    assert variables["AIP_ENDPOINT_ID"] == endpoint.rpartition("/")[2]
    assert (variables["AIP_DEPLOYED_MODEL_ID"], variables["AIP_MODE"]) == ("1", "PREDICTION")
    assert variables["AIP_PREDICT_ROUTE"] == f"/v1/endpoints/{variables['AIP_ENDPOINT_ID']}/deployedModels/1:predict"
    assert variables["AIP_STORAGE_URI"] == str(serving.places.buckets / "cloudml-local" / "sums")
    work = Path(f"/proc/{pid}/cwd").readlink()
    assert work.is_relative_to(serving.places.predictors) and list(work.iterdir()) == []
    for path in (serving.places.predictors, work):
        assert path.stat().st_mode & 0o077 == 0
    sockets = {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}
    listening = {line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]}
    assert not sockets & {f"socket:[{inode}]" for inode in listening}


def test_the_memory_limit_is_set_or_half_of_the_machine() -> None:
    """The setting is in megabytes; without one it is half of what the machine has, and a gigabyte at least."""
    assert memory_limit(PlatformSettings(predictor_memory_mb=300)) == 300 * 1024 * 1024
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 1 << 30 <= memory_limit(PlatformSettings()) <= max(1 << 30, whole // 2)
    read = PlatformSettings.from_environment(
        {"CLOUDML_PLATFORM_PREDICTOR_MEMORY_MB": "512", "CLOUDML_PLATFORM_PREDICTOR_IDLE_SECONDS": "60"}
    )
    assert (read.predictor_memory_mb, read.predictor_idle_seconds, read.predict_limit_bytes) == (512, 60.0, 1_500_000)


# --- the platform's own process ---


@pytest.fixture
def platform_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CLOUDML_PLATFORM_SPARE", "no")
    yield home
    lifecycle.stop()


def ask(address: PlatformAddress, verb: str, path: str, body: Any = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=60)
    try:
        content = None if body is None else json.dumps(body).encode()
        connection.request(verb, path, content, {"Authorization": f"Bearer {address.token}"})
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def done(address: PlatformAddress, operation: Any) -> Any:
    while not operation.get("done"):
        assert "name" in operation, operation
        operation = ask(address, "POST", f"/v1/{operation['name']}:wait?timeout=5s")
    return operation


def test_a_platform_killed_while_it_deploys(platform_home: Path, exported: dict[int, Path]) -> None:
    """No process outlives it; the next platform finishes the operation that it had promised, and serves."""
    places = PlatformPlaces.of_this_user()
    address = lifecycle.ensure_running()
    shutil.copytree(exported[1], places.buckets / "cloudml-local" / "sums")
    model = {"displayName": "sums", "artifactUri": "gs://cloudml-local/sums", "containerSpec": {"imageUri": IMAGE}}
    done(address, ask(address, "POST", f"{MODELS}:upload", {"model": model, "modelId": "sums"}))
    done(address, ask(address, "POST", f"{ENDPOINTS}?endpointId=sums", {"displayName": "sums"}))
    version = "projects/1/locations/us-central1/models/sums@1"
    body = {
        "deployedModel": {"model": version, "dedicatedResources": resources(), "id": "5"},
        "trafficSplit": {"0": 100},
    }
    operation = ask(address, "POST", f"{ENDPOINTS}/sums:deployModel", body)
    while operation["metadata"]["deploymentStage"] != "STARTING_MODEL_SERVER":
        time.sleep(0.02)
        operation = ask(address, "GET", f"/v1/{operation['name']}")
    owner = f"{OWNER}={places.predictors}"
    while not with_variable(owner):
        time.sleep(0.01)
    os.kill(address.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while with_variable(owner) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert with_variable(owner) == []
    again = lifecycle.ensure_running()
    finished = done(again, operation)
    assert finished["response"]["deployedModel"]["id"] == "5", finished
    assert ask(again, "POST", f"{ENDPOINTS}/sums:predict", {"instances": [[1, 2]]})["predictions"] == [[3.0]]
    assert lifecycle.status(again)["runningPredictors"] == 1
    lifecycle.reset()
    assert with_variable(owner) == []
    fresh = lifecycle.ensure_running()
    assert ask(fresh, "GET", MODELS) == ask(fresh, "GET", ENDPOINTS) == {}
    assert lifecycle.status(fresh)["deployedModels"] == 0
