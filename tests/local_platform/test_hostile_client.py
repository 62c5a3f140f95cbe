"""A client that means harm or knows no better: whatever it sends, it gets an answer that Google could have given, soon."""

from __future__ import annotations

import copy
import http.client
import json
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudml_magic.local_platform.jobs.preparation import Preparation
from tests.long_counts import count, within

from .conftest import JOB, JOBS, TOKEN, Served
from .saved_models import write_model
from .test_endpoints import ENDPOINTS, RESOURCES, create
from .test_models import MODELS, model, upload

pytestmark = pytest.mark.soak
_hard = settings(
    max_examples=count(3000, 80),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
ODD_TEXTS = [
    "", "\0", "\ud800", "é" * 2000, "..", "../../etc/passwd", "gs://", "gs://cloudml-local/../x", "gs://cloudml-local/a",
    "$(A)", "9223372036854775808", "-1", "1e400", "NaN", "86400s", "-1s", "1e9s", "x" * 70_000, "\r\nX: y", "%00", "%",
    "2026-01-01T00:00:00Z", "=", "*", "NULL", "true",
]  # fmt: skip
TEXTS = st.sampled_from(ODD_TEXTS) | st.text(st.characters(), max_size=30)
NUMBERS = st.sampled_from([0, -1, 1, 17, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 10**400, -(10**30), 0.5, 1e308])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
DEEP = "[" * 500 + "]" * 500


def places_of(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key, inner in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from places_of(inner, (*path, key))


FULL_JOB: Any = {
    **copy.deepcopy(JOB),
    "labels": {"a": "b"},
    "encryptionSpec": {"kmsKeyName": "k"},
    "name": "n",
    "state": "JOB_STATE_QUEUED",
}
SPEC: Any = FULL_JOB["jobSpec"]
SPEC["scheduling"] = {"timeout": "5s", "restartJobOnWorkerRestart": True}
SPEC["workerPoolSpecs"][0]["machineSpec"] |= {"acceleratorType": "NVIDIA_TESLA_T4", "acceleratorCount": 1}
SPEC["workerPoolSpecs"][0]["containerSpec"]["env"] = [{"name": "A", "value": "b"}]


@st.composite
def broken(draw: st.DrawFn, whole: Any) -> Any:
    """A body with some of its parts replaced, or given parts that it cannot have."""
    job = copy.deepcopy(whole)
    for path in draw(st.lists(st.sampled_from(list(places_of(whole))), min_size=1, max_size=3)):
        # Read anew each time: a copy goes so deep that it hangs on the stack beneath whether it succeeds.
        value = json.loads(DEEP) if draw(st.integers(0, 20)) == 20 else copy.deepcopy(draw(VALUES))
        inner: Any = job
        try:
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1] if path and draw(st.integers(0, 5)) else draw(TEXTS)] = value
        except (TypeError, KeyError, IndexError, AttributeError):
            continue
    return job


FULL_MODEL: Any = {
    "modelId": "x",
    "parentModel": "",
    "model": {
        **model("gs://cloudml-local/m", labels={"a": "b"}, description="d", versionAliases=["stable"], etag="e"),
        "containerSpec": {
            "imageUri": "tensorflow/serving",
            "env": [{"name": "A", "value": "b"}],
            "predictRoute": "/p",
            "healthRoute": "/h",
            "deploymentTimeout": "5s",
            "ports": [{"containerPort": 8080}],
        },
    },
}
FULL_ENDPOINT: Any = {
    "displayName": "e", "labels": {"a": "b"}, "trafficSplit": {}, "etag": "e", "deployedModels": [{"id": "1"}],
    "clientConnectionConfig": {"inferenceTimeout": "5s"},
}  # fmt: skip
FULL_DEPLOYMENT: Any = {
    "deployedModel": {"id": "1", "model": f"{MODELS[4:]}/none@1", "displayName": "d", "dedicatedResources": RESOURCES},
    "trafficSplit": {"0": 100},
}

ML_JOBS, ML_MODELS, ML_OPERATIONS = (f"/v1/projects/p/{name}" for name in ("jobs", "models", "operations"))
FULL_ML_TRAINING: Any = {
    "jobId": "a", "labels": {"a": "b"}, "etag": "ZQ==", "state": "QUEUED",
    "trainingInput": {
        "scaleTier": "CUSTOM", "region": "r", "masterType": "standard", "workerType": "standard", "workerCount": "1",
        "masterConfig": {
            "imageUri": "tensorflow/tensorflow", "containerCommand": ["true"], "diskConfig": {"bootDiskSizeGb": 1},
            "acceleratorConfig": {"type": "NVIDIA_TESLA_K80", "count": "1"},
        },
        "args": ["x"], "jobDir": "gs://cloudml-local/j", "useChiefInTfConfig": True,
        "scheduling": {"maxRunningTime": "5s", "maxWaitTime": "1800s", "priority": 1},
    },
}  # fmt: skip
FULL_ML_BATCH: Any = {
    "jobId": "a",
    "predictionInput": {
        "dataFormat": "JSON", "inputPaths": ["gs://cloudml-local/*"], "outputPath": "gs://cloudml-local/o", "region": "r",
        "modelName": "projects/p/models/m", "maxWorkerCount": "1", "batchSize": "1", "signatureName": "s",
    },
}  # fmt: skip
FULL_ML_MODEL: Any = {
    "name": "m",
    "regions": ["r"],
    "labels": {"a": "b"},
    "defaultVersion": {"name": "v"},
    "etag": "ZQ==",
}
FULL_ML_VERSION: Any = {
    "name": "v", "deploymentUri": "gs://cloudml-local/none", "runtimeVersion": "2.1", "framework": "TENSORFLOW",
    "autoScaling": {"minNodes": 1}, "labels": {"a": "b"}, "machineType": "n1-standard-2",
}  # fmt: skip


@pytest.fixture
def hostile(served: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """A platform that checks jobs as the real runner does."""
    monkeypatch.setattr(served.runner, "check", Preparation(served.places, served.places.buckets, {}, 1.0).check)
    return served


def sent(served: Served, verb: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> int:
    """The status of an answer that came within a second, was no fault of ours, and has Google's shape."""
    began = time.monotonic()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection.request(verb, path, content, {"Authorization": f"Bearer {TOKEN}", **(headers or {})})
        answer = connection.getresponse()
        is_stream = answer.getheader("content-type", "").startswith("text/event-stream")
        text = answer.read(1) if is_stream else answer.read()
    finally:
        connection.close()
    assert time.monotonic() - began < within(1)
    assert answer.status < 500 or answer.status == 501, text
    if answer.status >= 400 and answer.status != 499:
        error = json.loads(text)["error"]
        assert error["code"] == answer.status
        assert isinstance(error["message"], str) and error["message"]
        assert (
            "errors" in error
            if path.startswith(("/storage", "/upload", "/download"))
            else isinstance(error["status"], str)
        )
    return answer.status


@_hard
@given(body=broken(FULL_JOB) | VALUES | st.binary(max_size=40))
def test_any_body_of_a_job(hostile: Served, body: Any) -> None:
    """A job is taken or refused; one that was taken can be read, listed and cancelled."""
    if sent(hostile, "POST", JOBS, body) == 200:
        assert sent(hostile, "GET", f"{JOBS}?pageSize=1") == 200
        newest = hostile.platform.resources.jobs()[0]
        assert sent(hostile, "GET", f"{JOBS}/{newest.id}") == 200
        assert sent(hostile, "POST", f"{JOBS}/{newest.id}:cancel", {}) == 200


@_hard
@given(
    kind=st.sampled_from(["media", "multipart", "resumable"]) | TEXTS,
    name=TEXTS,
    body=st.binary(max_size=60) | st.dictionaries(st.sampled_from(["name", "metadata", "md5Hash"]) | TEXTS, VALUES),
    headers=st.dictionaries(
        st.sampled_from(["Content-Type", "X-Upload-Content-Type", "X-Goog-Hash", "Content-Range", "Content-Encoding"]),
        st.sampled_from(
            ["multipart/related; boundary=b", "multipart/related", "md5=!", "crc32c=AAAA", "bytes 0-1/2", "gzip"]
        )
        | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
    ),
    more=st.dictionaries(st.sampled_from(["ifGenerationMatch", "contentEncoding", "projection", "fields"]), TEXTS),
)
def test_any_upload(
    hostile: Served, kind: str, name: str, body: Any, headers: dict[str, str], more: dict[str, str]
) -> None:
    """An object is kept or refused; the listing goes on."""
    query = "&".join(f"{key}={_quoted(value)}" for key, value in {"uploadType": kind, "name": name, **more}.items())
    sent(hostile, "POST", f"/upload/storage/v1/b/cloudml-local/o?{query}", body, headers)
    assert sent(hostile, "GET", "/storage/v1/b/cloudml-local/o?maxResults=3") == 200


@_hard
@given(where=st.sampled_from(["bytes 0-1/2", "bytes */*", "bytes 9-1/4", "bytes 0-99999999999999999999/*"])
       | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30), body=st.binary(max_size=9))  # fmt: skip
def test_any_content_range(hostile: Served, where: str, body: bytes) -> None:
    """A session takes the bytes, says what it has, or refuses."""
    _, headers, _ = hostile.send("POST", "/upload/storage/v1/b/cloudml-local/o?uploadType=resumable&name=n", {})
    sent(hostile, "PUT", headers["location"].partition(str(hostile.port))[2], body, {"Content-Range": where})


@_hard
@given(
    path=st.sampled_from([JOBS, MODELS, ENDPOINTS, ML_JOBS, ML_MODELS, f"{ML_MODELS}/m/versions", ML_OPERATIONS, f"{MODELS}/m:listVersions", "/storage/v1/b/cloudml-local/o", "/storage/v1/b", "/v1/projects/local/locations/l/operations"]),
    query=st.dictionaries(
        st.sampled_from(["filter", "orderBy", "pageToken", "pageSize", "readMask", "prefix", "delimiter", "startOffset", "maxResults", "alt", "fields"]),
        TEXTS | st.sampled_from(["WyJhIl0=", "bnVsbA==", "MQ==", "LTE=", "WzEsMl0=", 'state="x" AND']), max_size=4),
)  # fmt: skip
def test_any_query_of_a_listing(hostile: Served, path: str, query: dict[str, str]) -> None:
    """A list request is answered or refused."""
    sent(hostile, "GET", f"{path}?" + "&".join(f"{name}={_quoted(value)}" for name, value in query.items()))


@_hard
@given(body=VALUES | st.fixed_dictionaries(
    {"resourceNames": st.just(["projects/local"]) | VALUES},
    optional={"filter": VALUES, "pageToken": VALUES, "orderBy": VALUES, "pageSize": VALUES}))  # fmt: skip
def test_any_question_for_entries(hostile: Served, body: Any) -> None:
    """A request for log entries is answered or refused."""
    sent(hostile, "POST", "/v2/entries:list", body)


@_hard
@given(
    verb=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]),
    path=st.sampled_from(["/v1/", "/v2/", "/storage/v1/b/", "/upload/storage/v1/b/cloudml-local/o/", "/cloudml/v1/jobs/", "/",
                          f"{JOBS}/", f"{MODELS}/", f"{ENDPOINTS}/", f"{ENDPOINTS}/e:", f"{MODELS}:", f"{ML_JOBS}/", f"{ML_MODELS}/", f"{ML_MODELS}/m/versions/", "/v1/projects/", f"{ML_OPERATIONS}/", "/storage/v1/b/cloudml-local/o/", "/download/storage/v1/b/cloudml-local/o/"]),
    rest=TEXTS,
)  # fmt: skip
def test_any_path(hostile: Served, verb: str, path: str, rest: str) -> None:
    """Any path is served or not found, whatever its name holds."""
    if verb == "HEAD" or len(rest) > 10_000:
        rest, verb = rest[:1000], "GET"
    sent(hostile, verb, path + _quoted(rest), None if verb in ("GET", "DELETE") else {})


@_hard
@given(last=st.sampled_from(["e0.l0", "e999999999999999.l999999999999999", "e-1.l0", "e1.l"])
       | st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20), tail=TEXTS)  # fmt: skip
def test_any_place_in_a_stream(hostile: Served, last: str, tail: str) -> None:
    """A stream begins where it was told or is refused."""
    jobs = hostile.platform.resources.jobs()
    id = jobs[0].id if jobs else hostile.ask("POST", JOBS, JOB)["name"].rpartition("/")[2]
    headers = {"Last-Event-ID": last.encode("latin-1").decode("latin-1")}
    sent(hostile, "GET", f"/cloudml/v1/jobs/{id}/events?log_tail={_quoted(tail)}", None, headers)


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass")[:3000])


def test_a_job_of_countless_replicas_is_refused_at_once(hostile: Served) -> None:
    """The number alone refuses it; nothing is made for each."""
    job = copy.deepcopy(JOB)
    job["jobSpec"]["workerPoolSpecs"][0]["replicaCount"] = str(2**62)  # type: ignore[index]
    assert sent(hostile, "POST", JOBS, job) == 400


def test_what_is_no_http_is_refused_in_googles_shape(served: Served) -> None:
    """Also a client that cannot speak HTTP gets an error that it can read."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        head, _, body = b"".join(iter(lambda: connection.recv(4096), b"")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n") and b"content-length: %d" % len(body) in head
    assert json.loads(body) == {
        "error": {"code": 400, "message": "Invalid HTTP request received.", "status": "INVALID_ARGUMENT"}
    }


@_hard
@given(body=broken(FULL_MODEL) | VALUES | st.binary(max_size=40))
def test_any_body_of_a_model(hostile: Served, body: Any) -> None:
    """A model is taken or refused; its operation ends, and what was taken can be read, listed and changed."""
    folder = hostile.places.buckets / "cloudml-local" / "m"
    if not folder.exists():
        write_model(folder)
    sent(hostile, "POST", f"{MODELS}:upload", body)
    assert sent(hostile, "GET", f"{MODELS}?pageSize=1") == 200
    for listed in hostile.ask("GET", f"{MODELS}?pageSize=1").get("models", []):
        id = listed["name"].rpartition("/")[2]
        assert sent(hostile, "GET", f"{MODELS}/{_quoted(id)}@1") == 200
        sent(hostile, "PATCH", f"{MODELS}/{_quoted(id)}?updateMask=displayName,labels", body)
        sent(hostile, "POST", f"{MODELS}/{_quoted(id)}@1:mergeVersionAliases", body)


@_hard
@given(body=broken(FULL_ENDPOINT) | VALUES | st.binary(max_size=40), id=TEXTS | st.just(""))
def test_any_body_of_an_endpoint(hostile: Served, body: Any, id: str) -> None:
    """An endpoint is made or refused, and so are changes of it."""
    sent(hostile, "POST", f"{ENDPOINTS}?endpointId={_quoted(id)}", body)
    if not hostile.ask("GET", ENDPOINTS):
        create(hostile, "e")
    sent(hostile, "PATCH", f"{ENDPOINTS}/e?updateMask=displayName,labels,trafficSplit", body)
    assert sent(hostile, "GET", ENDPOINTS) == 200


@_hard
@given(verb=st.sampled_from(["deployModel", "undeployModel", "mutateDeployedModel", "predict", "rawPredict", "explain"]),
       body=broken(FULL_DEPLOYMENT) | VALUES | st.binary(max_size=40), wanted=TEXTS)  # fmt: skip
def test_any_body_of_what_is_asked_of_an_endpoint(hostile: Served, verb: str, body: Any, wanted: str) -> None:
    """Without a model nothing can be deployed or asked; everything is refused in words."""
    if not hostile.ask("GET", ENDPOINTS):
        create(hostile, "e")
    headers = {"x-cloudml-deployed-model": wanted.strip()} if wanted.isascii() and wanted.isprintable() else {}
    assert sent(hostile, "POST", f"{ENDPOINTS}/e:{verb}", body, headers) >= 400


@_hard
@given(
    body=broken(FULL_ML_TRAINING) | broken(FULL_ML_BATCH) | VALUES | st.binary(max_size=40),
    mask=TEXTS | st.sampled_from(["labels", "labels,etag", "etag"]),
)
def test_any_body_of_the_older_apis_jobs(hostile: Served, body: Any, mask: str) -> None:
    """A job is taken or refused; one that was taken can be read, listed, changed and cancelled."""
    if isinstance(body, dict) and body.get("jobId") == "a":
        body = {**body, "jobId": f"a{time.monotonic_ns()}"}  # Else only the first would be looked at.
    status = sent(hostile, "POST", ML_JOBS, body)
    assert sent(hostile, "GET", f"{ML_JOBS}?pageSize=1") == 200
    if status == 200:
        id = hostile.ask("GET", f"{ML_JOBS}?pageSize=1")["jobs"][0]["jobId"]
        assert sent(hostile, "GET", f"{ML_JOBS}/{id}") == 200
        sent(hostile, "PATCH", f"{ML_JOBS}/{id}?updateMask={_quoted(mask)}", body)
        assert sent(hostile, "POST", f"{ML_JOBS}/{id}:cancel", {}) == 200
    else:
        sent(hostile, "PATCH", f"{ML_JOBS}/none?updateMask={_quoted(mask)}", body)


@_hard
@given(
    body=broken(FULL_ML_VERSION) | broken(FULL_ML_MODEL) | VALUES | st.binary(max_size=40),
    mask=TEXTS | st.sampled_from(["description", "labels", "autoScaling.minNodes", "default_version.name", "manualScaling"]),
    verb=st.sampled_from(["predict", "explain", "setDefault", "getIamPolicy"]),
)  # fmt: skip
def test_any_body_of_the_older_apis_models(hostile: Served, body: Any, mask: str, verb: str) -> None:
    """Models are made or refused; of a folder without a model there is no version."""
    sent(hostile, "POST", ML_MODELS, body)
    if sent(hostile, "GET", f"{ML_MODELS}/m") == 404:
        assert sent(hostile, "POST", ML_MODELS, {"name": "m"}) == 200
    assert sent(hostile, "POST", f"{ML_MODELS}/m/versions", body) >= 400
    sent(hostile, "PATCH", f"{ML_MODELS}/m?updateMask={_quoted(mask)}", body)
    assert sent(hostile, "PATCH", f"{ML_MODELS}/m/versions/v?updateMask={_quoted(mask)}", body) >= 400
    assert sent(hostile, "POST", f"{ML_MODELS}/m/versions/v:{verb}", body) >= 400
    assert sent(hostile, "POST", f"{ML_MODELS}/m:{verb}", body) >= 400
    hostile.ask("GET", f"{ML_MODELS}/m")
    hostile.ask("GET", f"{ML_MODELS}?pageSize=1")


def test_operations_of_hostile_uploads_end(hostile: Served) -> None:
    """Whatever was asked for at once, each operation ends, and the model is there."""
    write_model(hostile.places.buckets / "cloudml-local" / "m")
    for _ in range(30):
        sent(hostile, "POST", f"{MODELS}:upload", {"model": model()})
    assert upload(hostile, modelId="last") == "last@1"
    while hostile.platform.operations.unfinished():
        time.sleep(0.01)
    assert len(hostile.ask("GET", MODELS)["models"]) == 31
