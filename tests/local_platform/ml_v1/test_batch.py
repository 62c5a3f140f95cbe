"""Batch predictions of the older API as real processes: the book chapter's own functions, and every field of theirs."""

from __future__ import annotations

import gzip
import json
import re
import struct
import time
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from .conftest import JOBS, PROJECT, Running, checked, details, refusal_of, service_of

OUT = "gs://cloudml-local/out"


def make_batch_job_body(
    project_name: str,
    input_paths: Any,
    output_path: str,
    model_name: str,
    region: str,
    data_format: str = "JSON",
    version_name: str | None = None,
    max_worker_count: int | None = None,
    runtime_version: str | None = None,
) -> dict[str, Any]:
    """A request as the chapter's function of this name builds it."""
    model_id = f"projects/{project_name}/models/{model_name}"
    timestamp = time.strftime("%Y%m%d_%H%M%S", time.gmtime())
    clean_project_name = re.sub(r"\W+", "_", project_name)
    given: dict[str, Any] = {
        "dataFormat": data_format, "inputPaths": input_paths, "outputPath": output_path, "region": region,
    }  # fmt: skip
    if version_name:
        given["versionName"] = f"{model_id}/versions/{version_name}"
    else:
        given["modelName"] = model_id
    if max_worker_count:
        given["maxWorkerCount"] = max_worker_count
    if runtime_version:
        given["runtimeVersion"] = runtime_version
    return {"jobId": f"{clean_project_name}_{model_name}_{timestamp}", "predictionInput": given}


def results(platform: Running, folder: str = "out") -> list[Any]:
    file = platform.places.buckets / "cloudml-local" / folder / "prediction.results-00000-of-00001"
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def errors(platform: Running, folder: str = "out") -> list[Any]:
    file = platform.places.buckets / "cloudml-local" / folder / "prediction.errors_stats-00000-of-00001"
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def rows(first: int, count: int) -> bytes:
    return b"".join(b'{"inputs": [%d, %d]}\n' % (row, row + 1) for row in range(first, first + count))


def run(platform: Running, id: str, **given: Any) -> Any:
    """A batch that has ended."""
    fields = {"dataFormat": "JSON", "outputPath": OUT, "region": "us-central1"}
    platform.ask("POST", JOBS, {"jobId": id, "predictionInput": {**fields, **given}})
    return checked("Job", platform.wait(id))


def test_the_chapters_batch(platform: Running) -> None:
    """Built and sent as the chapter does: results directly beneath the output path, one prediction object a line."""
    platform.create_version("keras_model", "v1", platform.model("export"))
    for part in range(3):
        platform.put(f"in/part-{part}.json", rows(part * 10, 10))
    body = make_batch_job_body(
        "my-project", "gs://cloudml-local/in/*.json", OUT, "keras_model", "us-central1", max_worker_count=5,
        runtime_version="1.13",
    )  # fmt: skip
    response = service_of(platform).projects().jobs().create(parent="projects/my-project", body=body).execute()
    assert response["state"] in ("QUEUED", "PREPARING", "RUNNING")
    assert response["predictionOutput"]["outputPath"] == OUT
    assert response["predictionInput"]["inputPaths"] == ["gs://cloudml-local/in/*.json"]
    job = checked("Job", platform.wait(body["jobId"]))
    assert job["state"] == "SUCCEEDED", job
    output = job["predictionOutput"]
    assert (output["predictionCount"], output["errorCount"]) == ("30", "0")
    assert 0 < output["nodeHours"] < 1
    assert results(platform) == [{"outputs": [2.0 * row, 2.0 * row + 2]} for row in range(30)]
    assert errors(platform) == []
    assert sorted(path.name for path in (platform.places.buckets / "cloudml-local" / "out").iterdir()) == [
        "prediction.errors_stats-00000-of-00001",
        "prediction.results-00000-of-00001",
    ]


def test_a_version_or_a_folder_is_asked(platform: Running) -> None:
    """versionName asks what is not the default; uri asks what is no model; a later batch takes the older one's place."""
    platform.create_version("m", "v1", platform.model("one", 2))
    platform.create_version("m", "v2", platform.model("two", 3))
    platform.put("in.json", rows(1, 1))
    paths = ["gs://cloudml-local/in.json"]
    assert run(platform, "a", inputPaths=paths, versionName=f"{PROJECT}/models/m/versions/v2")["state"] == "SUCCEEDED"
    assert results(platform) == [{"outputs": [3.0, 6.0]}]
    uri = platform.model("three", 5)
    job = run(platform, "b", inputPaths=paths, uri=uri, signatureName="serving_default", batchSize="7",
              runtimeVersion="2.1")  # fmt: skip
    assert job["state"] == "SUCCEEDED"
    assert results(platform) == [{"outputs": [5.0, 10.0]}]


def test_instances_that_fail_are_counted(platform: Running) -> None:
    """They cost the others nothing, and stand with their line and the reason in the errors' file."""
    platform.create_version("m", "v1", platform.model("one"))
    platform.put("in.json", b'{"inputs": [1, 2]}\nno json\n[3]\n[4, 5]\n')
    job = run(platform, "a", inputPaths=["gs://cloudml-local/in.json"], modelName=f"{PROJECT}/models/m")
    assert job["state"] == "SUCCEEDED"
    assert (job["predictionOutput"]["predictionCount"], job["predictionOutput"]["errorCount"]) == ("2", "2")
    assert results(platform) == [{"outputs": [2.0, 4.0]}, {"outputs": [8.0, 10.0]}]
    assert [(each["source"], each["line"]) for each in errors(platform)] == [
        ("gs://cloudml-local/in.json", 2), ("gs://cloudml-local/in.json", 3),
    ]  # fmt: skip


def test_text_is_json_where_it_is_some(platform: Running) -> None:
    """TEXT, which old clients send for lines of JSON; another line is a text, which this model cannot take."""
    platform.create_version("m", "v1", platform.model("one"))
    platform.put("in.txt", b"[1, 2]\nhello\n")
    job = run(
        platform, "a", dataFormat="TEXT", inputPaths=["gs://cloudml-local/in.txt"], modelName=f"{PROJECT}/models/m"
    )  # fmt: skip
    assert job["state"] == "SUCCEEDED"
    assert results(platform) == [{"outputs": [2.0, 4.0]}]
    (error,) = errors(platform)
    assert error["instance"] == "hello"


def record(content: bytes) -> bytes:
    """One record of a TFRecord file."""
    import google_crc32c

    def masked(data: bytes) -> bytes:
        checksum = google_crc32c.value(data)
        return struct.pack("<I", ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    length = struct.pack("<Q", len(content))
    return length + masked(length) + content + masked(content)


@pytest.mark.parametrize("data_format", ["TF_RECORD", "TF_RECORD_GZIP"])
def test_records_go_to_models_that_take_bytes(platform: Running, data_format: str) -> None:
    """A model of numbers cannot take them, and says so."""
    platform.create_version("m", "v1", platform.model("one"))
    content = record(b"example")
    platform.put("in.rec", gzip.compress(content) if data_format == "TF_RECORD_GZIP" else content)
    paths = ["gs://cloudml-local/in.rec"]
    job = run(platform, "a", dataFormat=data_format, inputPaths=paths, modelName=f"{PROJECT}/models/m")
    assert (job["state"], job["errorMessage"]) == (
        "FAILED",
        "The model cannot take the records of a TFRecord file. A record is bytes: an encoded picture, or a"
        " tf.train.Example. The model takes inputs: float32 [?, 2]. Send JSON lines or CSV.",
    )


def test_a_signature_that_is_not_there(platform: Running) -> None:
    """The job fails and says which there are."""
    platform.create_version("m", "v1", platform.model("one"))
    platform.put("in.json", rows(0, 1))
    job = run(platform, "a", inputPaths=["gs://cloudml-local/in.json"], modelName=f"{PROJECT}/models/m",
              signatureName="other")  # fmt: skip
    assert job["errorMessage"] == (
        "The model has no signature 'other'. It has serving_default. Name one of them, or none."
    )


def test_two_batches_may_write_to_one_folder(platform: Running) -> None:
    """At the same time: whoever ends last leaves its results, whole."""
    platform.create_version("m", "v1", platform.model("one"))
    platform.put("few.json", rows(0, 3))
    platform.put("many.json", rows(0, 20_000))
    for id, name in (("many", "many.json"), ("few", "few.json")):
        given = {"dataFormat": "JSON", "outputPath": OUT, "region": "r", "modelName": f"{PROJECT}/models/m"}
        body = {"jobId": id, "predictionInput": {**given, "inputPaths": [f"gs://cloudml-local/{name}"]}}
        platform.ask("POST", JOBS, body)
    counts = [platform.wait(id)["predictionOutput"]["predictionCount"] for id in ("many", "few")]
    assert counts == ["20000", "3"]
    assert len(results(platform)) in (3, 20_000)
    assert len(list((platform.places.buckets / "cloudml-local" / "out").iterdir())) == 2


def test_the_log_and_the_events_of_a_batch(platform: Running) -> None:
    """Found by the job's id, as those of training."""
    platform.create_version("m", "v1", platform.model("one"))
    platform.put("in.json", rows(0, 3))
    run(platform, "followed", inputPaths=["gs://cloudml-local/in.json"], modelName=f"{PROJECT}/models/m")
    body = {"resourceNames": ["projects/p"], "filter": 'resource.labels.job_id="followed"'}
    entries = platform.ask("POST", "/v2/entries:list", body)["entries"]
    assert [entry["textPayload"] for entry in entries] == [
        "projects/local/models/m/versions/v1 reads 1 object with 3 instances.",
        "It answers with ONNX Runtime.",
        f"Done: 3 instances predicted, 0 failed. {OUT}",
    ]
    assert platform.ask("GET", "/cloudml/v1/jobs/followed")["state"] == "SUCCEEDED"


NOT_SET = "Required field is not set."
NOT_THERE = (
    'The model resource: "none" was not found. Please create the Cloud ML model resource first by using'
    " 'gcloud ml-engine models create none'."
)


@pytest.mark.parametrize(
    ("change", "code", "field", "description"),
    [
        ({"dataFormat": None}, 400, "prediction_input.data_format", NOT_SET),
        ({"inputPaths": []}, 400, "prediction_input.input_paths", NOT_SET),
        ({"outputPath": ""}, 400, "prediction_input.output_path", NOT_SET),
        ({"region": ""}, 400, "prediction_input.region", NOT_SET),
        ({"dataFormat": "DATA_FORMAT_UNSPECIFIED"}, 400, "prediction_input.data_format",
         "It must be one of JSON, TEXT, CSV, TF_RECORD, TF_RECORD_GZIP."),
        ({"outputDataFormat": "CSV"}, 400, "prediction_input.output_data_format",
         "The local platform writes JSON only."),
        ({"modelName": ""}, 400, "prediction_input", "Exactly one of model_name, version_name and uri must be set."),
        ({"uri": "gs://cloudml-local/m"}, 400, "prediction_input",
         "Exactly one of model_name, version_name and uri must be set."),
        ({"modelName": "m"}, 400, "prediction_input.model_name", "'m' is no name such as projects/P/models/M."),
        ({"modelName": f"{PROJECT}/models/none"}, 404, "prediction_input.model_name", NOT_THERE),
        ({"modelName": f"{PROJECT}/models/m"}, 404, "prediction_input.model_name",
         "m has no default version that is ready."),
        ({"modelName": "", "versionName": f"{PROJECT}/models/m/versions/v1"}, 404, "prediction_input.version_name",
         "m has no version v1 that is ready."),
        ({"modelName": "", "uri": "gs://cloudml-local/none"}, 400, "prediction_input.uri",
         "There is no folder gs://cloudml-local/none."),
        ({"batchSize": -1}, 400, "prediction_input.batch_size", "It must be from 0 to 100,000."),
        ({"maxWorkerCount": "-1"}, 400, "prediction_input.max_worker_count", "It must not be negative."),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(
    refusing: Any, change: dict[str, Any], code: int, field: str, description: str
) -> None:
    """With the field and what is wrong; no job is made."""
    given = {
        "dataFormat": "JSON", "inputPaths": ["gs://cloudml-local/none"], "outputPath": OUT, "region": "r",
        "modelName": f"{PROJECT}/models/m",
    }  # fmt: skip
    jobs = refusing.projects().jobs()
    create = jobs.create(parent=PROJECT, body={"jobId": "a", "predictionInput": {**given, **change}})
    with pytest.raises(HttpError) as caught:
        create.execute()
    assert refusal_of(caught.value) == (code, f"Field: {field} Error: {description}", details(field, description))
    assert jobs.list(parent=PROJECT).execute() == {}


def test_inputs_and_outputs_must_be_here(platform: Running) -> None:
    """Objects of this platform's buckets, at least one a path."""
    platform.create_version("m", "v1", platform.model("one"))
    platform.put("in.json", rows(0, 1))
    given = {"dataFormat": "JSON", "region": "r", "modelName": f"{PROJECT}/models/m"}
    for paths, output, words in (
        (["gs://cloudml-local/none*"], OUT,
         "Field: prediction_input.input_paths Error: There is no object gs://cloudml-local/none*."),
        (["gs://cloudml-local/in.json"], "gs://other/out",
         "Field: prediction_input.output_path Error: The local platform has no bucket other; it reads and writes its own"
         " buckets only."),
    ):  # fmt: skip
        body = {"jobId": "a", "predictionInput": {**given, "inputPaths": paths, "outputPath": output}}
        assert platform.refused("POST", JOBS, body)["message"] == words
