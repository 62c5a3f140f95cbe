"""batchPredictionJobs on the platform: checked, kept, run, cancelled and deleted as jobs are."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.local_platform.jobs import process_table
from cloudml_magic.serving.batch.specification import ERRORS, RESULTS
from tests.local_platform.conftest import JOB, JOBS, TOKEN, places_in

from .conftest import rows
from .platform import BATCHES, Running, ending, rows_done, running


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Running]:
    with ending(places_in(tmp_path)) as found:
        yield found


# Some seconds of work: what happens in mid-batch happens long before its end.
LONG = 60_000


def lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def long_job(platform: Running) -> str:
    """A batch that takes some seconds."""
    uri = platform.put("long.jsonl", rows(LONG))
    return platform.send_batch(uri, manualBatchTuningParameters={"batchSize": 2})


def test_a_batch_is_run_and_its_results_lie_where_it_says(platform: Running) -> None:
    """Wildcards, a bad row, the folder named as Vertex AI names it, the counts as strings, the log, the events."""
    platform.put("in/a.jsonl", rows(1000))
    platform.put("in/b.jsonl", b"[1000, 1000.5]\noops\n")
    platform.put("in/deep/c.jsonl", b"[7, 7]\n")
    name = platform.send_batch("gs://cloudml-local/in/*.jsonl", labels={"a": "b"})
    job = platform.wait(name)
    assert job["state"] == "JOB_STATE_SUCCEEDED", job
    assert job["completionStats"] == {"successfulCount": "1001", "failedCount": "1", "incompleteCount": "0"}
    assert (job["modelVersionId"], job["labels"], job["model"]) == ("1", {"a": "b"}, platform.model)
    assert job["createTime"] <= job["startTime"] <= job["endTime"]
    address = job["outputInfo"]["gcsOutputDirectory"]
    assert re.fullmatch(r"gs://cloudml-local/out/prediction-doubler-\d{4}_\d\d_\d\dT\d\d_\d\d_\d\d_\d{3}Z", address)
    output = platform.output(job)
    assert sorted(path.name for path in output.iterdir()) == [ERRORS, RESULTS]
    assert [each["instance"][0] for each in lines(output / RESULTS)] == list(range(1001))
    assert [(each["source"], each["line"]) for each in lines(output / ERRORS)] == [("gs://cloudml-local/in/b.jsonl", 2)]
    id = name.rpartition("/")[2]
    entries = platform.ask(
        "POST", "/v2/entries:list",
        {"resourceNames": ["projects/local"], "filter": f'resource.labels.job_id="{id}"'},
    )["entries"]  # fmt: skip
    assert [entry["textPayload"] for entry in entries] == [
        "doubler@1 reads 2 objects with 1,002 instances.",
        "It answers with ONNX Runtime.",
        f"Done: 1,001 instances predicted, 1 failed. {address}",
    ]
    told = events(platform, id)
    assert {"done": 1002, "total": 1002, "failed": 1}.items() <= [each for each in told if each["kind"] == "rows"][
        -1
    ].items()
    assert [each["state"] for each in told if each["kind"] == "state"][-1] == "SUCCEEDED"


def events(platform: Running, id: str) -> list[dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", platform.port, timeout=30)
    connection.request("GET", f"/cloudml/v1/jobs/{id}/events", headers={"Authorization": f"Bearer {TOKEN}"})
    text = connection.getresponse().read().decode()
    connection.close()
    return [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]


def test_a_batch_of_which_all_fail_has_failed(platform: Running) -> None:
    """Its error is the first reason in words; its errors are there."""
    job = platform.wait(platform.send_batch(platform.put("bad.jsonl", b"x\ny\n")))
    assert job["state"] == "JOB_STATE_FAILED"
    assert job["error"]["message"].startswith(
        "None of the 2 instances could be predicted. Line 1 of gs://cloudml-local/bad.jsonl: The line is no JSON: "
    )
    assert len(lines(platform.output(job) / ERRORS)) == 2


def test_a_token_makes_one_job_however_often_it_is_sent(platform: Running) -> None:
    """The same job is answered; a token of another kind of job is refused."""
    uri = platform.put("a.jsonl", rows(1))
    first = platform.send_batch(uri, labels={"cloudml-token": "t9"})
    assert platform.send_batch(uri, labels={"cloudml-token": "t9"}) == first
    assert len(platform.ask("GET", BATCHES)["batchPredictionJobs"]) == 1
    found = platform.ask("GET", f"{BATCHES}?filter=labels.cloudml-token%3D%22t9%22")["batchPredictionJobs"]
    assert [job["name"] for job in found] == [first]
    job = {**JOB, "labels": {"cloudml-token": "t9"}}
    assert (
        platform.refused("POST", JOBS, job)["message"]
        == f"The label cloudml-token is that of another kind of job: {first}."
    )
    assert "customJobs" not in platform.ask("GET", JOBS)
    id = first.rpartition("/")[2]
    assert platform.refused("GET", f"{JOBS}/{id}")["code"] == 404


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"model": "projects/local/locations/us-central1/models/none"}, 404, "models/none does not exist."),
        ({"model": "doubler"}, 400, "'doubler' is no model of this location"),
        ({"model": ""}, 400, "batch_prediction_job.model; Message: Required field is not set."),
        ({"displayName": ""}, 400, "display_name; Message: Required field is not set."),
        ({"unmanagedContainerModel": {"artifactUri": "gs://x/y"}}, 501, "does not emulate unmanagedContainerModel"),
        ({"generateExplanation": True}, 501, "does not emulate explanations"),
        ({"instanceConfig": {"keyField": "k"}}, 501, "does not emulate instanceConfig"),
        ({"inputConfig": {"instancesFormat": "bigquery", "bigquerySource": {"inputUri": "bq://x"}}}, 501, "BigQuery"),
        ({"inputConfig": {"instancesFormat": "xml", "gcsSource": {"uris": ["gs://cloudml-local/a"]}}}, 400, "one of jsonl"),
        ({"inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://cloudml-local/none"]}}}, 400,
         "There is no object gs://cloudml-local/none."),
        ({"inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://cloudml-local/none*"]}}}, 400,
         "There is no object gs://cloudml-local/none*."),
        ({"inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://elsewhere/a"]}}}, 400,
         "The local platform has no bucket elsewhere; it reads and writes its own buckets only."),
        ({"inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://cloudml-local/../x"]}}}, 400,
         "is no gs:// address"),
        ({"inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["/etc/passwd"]}}}, 400, "is no gs:// address"),
        ({"outputConfig": {"predictionsFormat": "csv", "gcsDestination": {"outputUriPrefix": "gs://cloudml-local/o"}}}, 400,
         "The local platform writes jsonl only."),
        ({"outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": "gs://elsewhere/o"}}}, 400,
         "has no bucket elsewhere"),
        ({"manualBatchTuningParameters": {"batchSize": 200_000}}, 400, "It must be from 0 to 100,000."),
        ({"dedicatedResources": {"startingReplicaCount": 17}}, 400, "It must be from 0 to 16."),
    ],
)  # fmt: skip
def test_what_could_never_run_is_refused_at_once(
    shared: Running, change: dict[str, Any], code: int, words: str
) -> None:
    """In Google's shape, and nothing is kept of it."""
    shared.put("a.jsonl", rows(1))
    error = shared.refused("POST", BATCHES, {**shared.body("gs://cloudml-local/a.jsonl"), **change})
    assert (error["code"], words in error["message"]) == (code, True), error
    assert shared.ask("GET", BATCHES) == {}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with ending(places_in(tmp_path_factory.mktemp("shared"))) as found:
        yield found


def test_a_model_that_was_swapped_is_not_asked(platform: Running) -> None:
    """It is refused by the name of the file that is another one."""
    (platform.bucket / "doubler" / "variables" / "variables.index").write_bytes(b"another")
    error = platform.refused("POST", BATCHES, platform.body(platform.put("a.jsonl", rows(1))))
    assert "is not the one that was uploaded as" in error["message"]
    assert "variables/variables.index has changed" in error["message"]


def test_a_cancelled_batch_leaves_what_it_had(platform: Running) -> None:
    """CANCELLED, both files named, the rest counted as incomplete; then it can be deleted, and its folder stays."""
    name = long_job(platform)
    platform.wait_for_rows(name, 100)
    assert "cancel it before deleting it" in platform.refused("DELETE", f"/v1/{name}")["message"]
    platform.ask("POST", f"/v1/{name}:cancel", {})
    job = platform.wait(name)
    assert job["state"] == "JOB_STATE_CANCELLED"
    found = lines(platform.output(job) / RESULTS)
    stats = {key: int(value) for key, value in job["completionStats"].items()}
    assert stats == {"successfulCount": len(found), "failedCount": 0, "incompleteCount": LONG - len(found)}
    assert platform.ask("DELETE", f"/v1/{name}")["done"]
    assert not platform.folder(name).exists()
    assert sorted(path.name for path in platform.output(job).iterdir()) == [ERRORS, RESULTS]
    assert platform.ask("GET", BATCHES) == {}


def test_a_waiting_batch_is_cancelled_before_it_begins(platform: Running) -> None:
    """It has neither output nor counts."""
    for _ in range(2):
        long_job(platform)
    name = long_job(platform)
    platform.ask("POST", f"/v1/{name}:cancel", {})
    job = platform.wait(name)
    assert job["state"] == "JOB_STATE_CANCELLED"
    assert "outputInfo" not in job
    platform.ask("DELETE", f"/v1/{name}")


def test_a_killed_process_is_started_again_where_it_was(platform: Running) -> None:
    """Its log goes on, its outputs have each instance once."""
    name = long_job(platform)
    for _ in range(2):
        platform.wait_for_rows(name, rows_done(platform.get(name)) + 500)
        for pid in process_table.descendants(platform.pid(name)):
            os.kill(pid, signal.SIGKILL)
    job = platform.wait(name)
    assert job["state"] == "JOB_STATE_SUCCEEDED", job
    assert [each["instance"][0] for each in lines(platform.output(job) / RESULTS)] == list(range(LONG))
    log = (platform.folder(name) / "workerpool0-0" / "output.log").read_text()
    assert log.count(f"doubler@1 reads 1 object with {LONG:,} instances.") >= 2
    assert "Goes on after " in log


def test_a_killed_supervisor_is_no_end_either(platform: Running) -> None:
    """Its process dies with it; both are started again."""
    name = long_job(platform)
    platform.wait_for_rows(name, 500)
    os.kill(platform.pid(name), signal.SIGKILL)
    job = platform.wait(name)
    assert job["state"] == "JOB_STATE_SUCCEEDED", job
    assert [each["instance"][0] for each in lines(platform.output(job) / RESULTS)] == list(range(LONG))


def test_a_batch_that_dies_again_and_again_has_failed(platform: Running) -> None:
    """Three deaths without a confirmed row are enough."""
    name = platform.send_batch(platform.put("a.jsonl", rows(10)))
    killed: set[int] = set()
    while platform.get(name)["state"] not in ("JOB_STATE_FAILED", "JOB_STATE_SUCCEEDED"):
        file = platform.folder(name) / "workerpool0-0" / "process.json"
        if file.exists():
            pid = platform.pid(name)
            for child in process_table.descendants(pid):
                killed.add(pid)
                os.kill(child, signal.SIGKILL)
    job = platform.get(name)
    assert job["state"] == "JOB_STATE_FAILED"
    assert len(killed) == 3
    assert "killed (SIGKILL)" in job["error"]["message"]


@pytest.mark.parametrize("what", ["lives on", "is killed meanwhile", "was of another boot"])
def test_another_platform_takes_a_batch_over(tmp_path: Path, what: str) -> None:
    """Whether its process lives on, was killed while there was no platform, or the machine went down under it."""
    places = places_in(tmp_path)
    with running(places) as first:
        name = long_job(first)
        first.wait_for_rows(name, 500)
    pid = first.pid(name)
    if what != "lives on":
        boot = process_table.boot_id()
        children = {child: process_table.start_time(child) for child in process_table.descendants(pid)}
        os.kill(pid, signal.SIGKILL)
        while any(process_table.is_alive(child, started, boot) for child, started in children.items()):
            time.sleep(0.01)
    if what == "was of another boot":
        identity = {"pid": os.getpid(), "started": process_table.start_time(os.getpid()), "boot": "another"}
        (first.folder(name) / "workerpool0-0" / "process.json").write_text(json.dumps(identity))
    with ending(places) as second:
        job = second.wait(name)
        assert job["state"] == "JOB_STATE_SUCCEEDED", job
        assert [each["instance"][0] for each in lines(second.output(job) / RESULTS)] == list(range(LONG))


def test_deleting_takes_unfinished_outputs_back(platform: Running) -> None:
    """What a process left that had no time to finish is no result."""
    name = platform.send_batch(platform.put("a.jsonl", rows(3)))
    job = platform.wait(name)
    output = platform.output(job)
    (output / RESULTS).rename(output / f"{RESULTS}.0.part")
    (output / ERRORS).unlink()
    platform.ask("DELETE", f"/v1/{name}")
    assert not output.exists()
