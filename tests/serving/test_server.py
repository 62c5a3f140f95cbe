"""A serving process answers as Vertex and TensorFlow Serving clients expect, and says what is wrong with a request."""

from __future__ import annotations

import http.client
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.serving.processes import Reply, ServingProcess, npy, npz

pytestmark = pytest.mark.slow

Served = Callable[..., ServingProcess]
ROW = [0.1, 0.2, 0.3, 0.4]


@pytest.fixture(params=[False, True], ids=["tensorflow", "onnxruntime"])
def table(request: pytest.FixtureRequest, served: Served) -> ServingProcess:
    return served("table", request.param)


def test_rows_and_columns_give_the_same_predictions(table: ServingProcess) -> None:
    rows = table.ask({"instances": [ROW, ROW]}).json["predictions"]
    assert np.allclose(np.sum(rows, axis=1), 1) and len(rows) == 2
    named = table.ask({"instances": [{"x": ROW}, {"x": ROW}], "parameters": {"temperature": 1}})
    columns = table.ask({"inputs": {"x": [ROW, ROW]}})
    assert named.json["predictions"] == rows
    assert columns.json["outputs"] == rows == table.ask({"inputs": [ROW, ROW]}).json["outputs"]
    assert columns.headers["content-type"] == "application/json"


def test_binary_bodies_carry_arrays_both_ways(table: ServingProcess) -> None:
    rows = np.array(table.ask({"instances": [ROW, ROW]}).json["predictions"], np.float32)
    array = np.array([ROW, ROW], np.float32)
    for body, kind in ((npy(array), "npy"), (npz(x=array), "npz"), (npy(np.asfortranarray(array)), "npy")):
        reply = table.ask(body, content_type=f"application/x-{kind}", accept="application/x-npy")
        assert reply.headers["content-type"] == "application/x-npy"
        assert np.allclose(np.load(io.BytesIO(reply.content), allow_pickle=False), rows, atol=1e-6)
    reply = table.ask(npy(array.astype(">f8")), content_type="application/x-npy", accept="application/x-npz")
    assert np.allclose(np.load(io.BytesIO(reply.content))["output_0"], rows, atol=1e-6)
    assert np.allclose(table.ask(npy(array), content_type="application/x-npy").json["predictions"], rows, atol=1e-6)


def test_several_inputs_and_outputs_go_by_name(served: Served) -> None:
    two = served("two")
    row = {"left": [1, 2, 3], "right": [4, 5]}
    reply = two.ask({"instances": [row, row]}).json["predictions"]
    assert [list(each) for each in reply] == [["sum", "kinds"]] * 2 or [set(each) for each in reply] == [
        {"sum", "kinds"}
    ] * 2
    columns = two.ask({"inputs": {"left": [[1, 2, 3]], "right": [[4, 5]]}}).json["outputs"]
    assert np.allclose(columns["sum"], [reply[0]["sum"]]) and np.allclose(columns["kinds"], [reply[0]["kinds"]])
    body = npz(left=np.array([[1, 2, 3]], np.float64), right=np.array([[4, 5]], np.int64))
    assert np.allclose(two.ask(body, content_type="application/x-npz").json["predictions"][0]["sum"], reply[0]["sum"])
    refused = two.ask(npy(np.zeros((1, 3))), content_type="application/x-npy")
    assert (refused.status, refused.error) == (
        400,
        "The model has 2 inputs: send application/x-npz with one array for each.",
    )


def test_state_metadata_and_metrics_are_told(table: ServingProcess) -> None:
    for path in ("/v1/models/m", "/v1/models/m/versions/1"):
        (status,) = table.get(path).json["model_version_status"]
        assert status == {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    metadata = table.get("/v1/models/m/metadata").json
    assert metadata["model_spec"] == {"name": "m", "signature_name": "", "version": "1"}
    given = metadata["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert given["inputs"]["x"]["dtype"] == "DT_FLOAT"
    assert [each["size"] for each in given["inputs"]["x"]["tensor_shape"]["dim"]] == ["-1", "4"]
    assert metadata["cloudml"]["task"] == "classification" and metadata["cloudml"]["model"] == "table"
    table.ask({"instances": [ROW]}, path="/v1/models/m/versions/1:predict")
    lines = table.get("/metrics").content.decode().splitlines()
    counts = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert int(counts['cloudml_serving_requests_total{code="200"}']) >= 1
    assert float(counts["cloudml_serving_request_seconds_count"]) >= 1
    assert int(counts['cloudml_serving_batch_rows_bucket{le="+Inf"}']) >= 1
    assert counts["cloudml_serving_queue_rows"] == "0"
    assert any(line.startswith("cloudml_serving_engine_info{engine=") for line in lines)


@pytest.mark.parametrize(
    ("body", "headers", "status", "text"),
    [
        ({"instances": [ROW], "signature_name": "other"}, {}, 400, "The model has no signature 'other'. It has serving_default."),
        ({"instances": ROW}, {}, 400, "`x` was given with shape [4]. The model takes float32 [?, 4], the number of instances first. One dimension too few: pass `[x]` instead of `x`."),
        (b"x", {"content_type": "text/plain"}, 415, "The body is text/plain. Send application/json, application/x-npy (one array) or application/x-npz (several)."),
        (b"x", {"content_encoding": "gzip"}, 415, "The body is encoded as gzip. Send it as it is."),
        (b"\x93NUMPY\x01\x00\xff\xff{", {"content_type": "application/x-npy"}, 400, None),
        (npy(np.array([[{}] * 4], object)), {"content_type": "application/x-npy"}, 400, "The body is no .npy file: it holds object, and only plain numbers are read; send text and bytes as JSON."),
        (npy(np.zeros((1, 4)))[:-1], {"content_type": "application/x-npy"}, 400, "The body is no .npy file: its header says [1, 4] of float64, but 31 bytes follow."),
        (b"PK\x03\x04", {"content_type": "application/x-npz"}, 400, "The body is no .npz file: File is not a zip file."),
        (npz(y=np.zeros((1, 4))), {"content_type": "application/x-npz"}, 400, "The request has an input `y` that the model does not have, and lacks `x`. The model takes x: float32 [?, 4]. Rename `y` to `x`."),
        (b"", {}, 400, None),
    ],
)  # fmt: skip
def test_a_bad_request_is_answered_with_what_to_change(
    table: ServingProcess, body: object, headers: dict[str, str], status: int, text: str | None
) -> None:
    reply = table.ask(body, **headers)
    assert reply.status == status
    if text is not None:
        assert reply.error == text


def test_other_paths_verbs_and_models_are_refused(table: ServingProcess) -> None:
    assert table.get("/v1/models/other").status == table.get("/").status == 404
    assert table.get("/v1/models/other").error == "There is nothing at /v1/models/other. The model is 'm'."
    wrong = table.get("/v1/models/m:predict")
    assert (wrong.status, wrong.error) == (405, "GET is not answered here. Use POST.")


def test_bodies_beyond_the_limit_are_refused_before_they_are_read(table: ServingProcess) -> None:
    before = table.memory()
    for kind, size, limit in (("json", 11, "10 MB"), ("x-npy", 101, "100 MB")):
        connection = table.connection()
        connection.putrequest("POST", "/v1/models/m:predict")
        connection.putheader("content-type", f"application/{kind}")
        connection.putheader("content-length", str(size * 1024 * 1024))
        connection.endheaders()
        answer = connection.getresponse()
        assert answer.status == 413 and f"larger than {limit}".encode() in answer.read(200)
        connection.close()
    pieces = iter([b" " * 1024 * 1024] * 12)
    connection = table.connection()
    connection.request("POST", "/v1/models/m:predict", pieces, {"content-type": "application/json"})
    assert connection.getresponse().status == 413
    connection.close()
    assert table.memory() - before < 100 * 1024 * 1024


def test_what_waits_is_computed_together_and_one_bad_instance_fails_alone(served: Served) -> None:
    two = served("two")
    good = {"instances": [{"left": [1, 2, 3], "right": [4, 5]}]}
    expected = two.ask(good).json
    replies: list[Reply] = []

    def ask(number: int) -> None:
        replies.append(two.ask({"instances": [[]]} if number % 4 == 3 else good))

    workers = [threading.Thread(target=ask, args=(number,)) for number in range(24)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(reply.status for reply in replies) == [200] * 18 + [400] * 6
    for reply in replies:
        if reply.status == 200:
            assert np.allclose(reply.json["predictions"][0]["sum"], expected["predictions"][0]["sum"], rtol=1e-5)


def test_text_models_take_text_and_stay_on_tensorflow(served: Served) -> None:
    words = served("words")
    ash, oak, unknown = words.ask({"instances": [["ash"], ["oak"], ["fir"]]}).json["predictions"]
    assert ash != oak != unknown
    assert words.ask({"instances": [[{"b64": "YXNo"}]]}).json["predictions"] == [ash]


def test_tcp_ports_and_the_routes_of_the_environment_are_answered(models: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    process = ServingProcess(
        models / "table", tmp_path, CLOUDML_SERVING_SOCKET="", AIP_HTTP_PORT=str(port), AIP_HEALTH_ROUTE="/ping", AIP_PREDICT_ROUTE="/ask",
    )  # fmt: skip
    try:
        connection = _once_it_listens(process, port)
        connection.request("GET", "/ping")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["retry-after"]) == (503, "2")
        assert answer.read() == b'{"error":"The model is being loaded."}'
        assert process.outcome()["outcome"] == "ready"
        connection.request("GET", "/ping")
        answer = connection.getresponse()
        assert answer.status == 200 and answer.read()
        connection.request("POST", "/ask", npy(np.array([ROW])), {"content-type": "application/x-npy"})
        answer = connection.getresponse()
        assert answer.status == 200 and answer.read().startswith(b'{"predictions":[[')
        connection.close()
    finally:
        process.end()


def _once_it_listens(process: ServingProcess, port: int) -> http.client.HTTPConnection:
    while process.process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.connect()
        except ConnectionRefusedError:
            continue
        return connection
    raise AssertionError("the process has ended")


def test_sigterm_answers_what_is_under_way_and_ends(
    models: Path, tmp_path: Path, certify: Callable[..., tuple[Path, object]]
) -> None:
    process = ServingProcess(models / "table", tmp_path, certify("table")[0])
    assert process.outcome()["engine"] == "onnxruntime"
    body = b'{"instances": [[1, 2, 3, 4]]}'
    begun, idle = process.connection(), process.connection()
    idle.connect()
    begun.putrequest("POST", "/v1/models/m:predict")
    begun.putheader("content-length", str(len(body)))
    begun.endheaders(body[:10])
    # Its answer shows that the server has seen the other two.
    assert process.get("/v1/models/m").status == 200
    process.process.send_signal(signal.SIGTERM)
    assert idle.sock.recv(1) == b""
    begun.send(body[10:])
    assert begun.getresponse().status == 200
    assert process.process.wait(20) == 0
    assert not Path(process.socket).exists()
    for connection in (begun, idle):
        connection.close()
    process.end()


def test_the_process_ends_with_its_standard_input(
    models: Path, tmp_path: Path, certify: Callable[..., tuple[Path, object]]
) -> None:
    process = ServingProcess(models / "table", tmp_path, certify("table")[0])
    assert process.outcome()["outcome"] == "ready"
    assert process.process.stdin is not None
    process.process.stdin.close()
    assert process.process.wait(20) == 0
    assert process.process.stdout is not None
    process.process.stdout.close()
    process.errors.close()


def test_what_cannot_be_served_is_told_in_one_line(models: Path, tmp_path: Path) -> None:
    half = tmp_path / "half"
    shutil.copytree(models / "table", half)
    (half / "variables" / "variables.index").unlink()
    process = ServingProcess(half, tmp_path)
    assert process.outcome() == {
        "outcome": "error",
        "error": [
            "model-folder-incomplete",
            f"The model in {half} is not whole: variables/variables.index is missing.",
            "cloudml.json lists the files of the export with their digests.",
            "Copy the folder again, or export the model anew.",
        ],
    }
    assert process.process.wait(20) == 1
    process.end()


def test_a_missing_variable_is_told_in_one_line() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "AIP_STORAGE_URI"}
    done = subprocess.run(
        [sys.executable, "-m", "cloudml_magic.serving"], env=environment, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == (
        b'{"outcome": "error", "error": ["no-model-named", "No model is named.", '
        b'"The variable AIP_STORAGE_URI is not set.", "Set it to the model folder: a path, or gs://\\u2026."]}\n'
    )
