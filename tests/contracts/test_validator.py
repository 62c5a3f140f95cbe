"""The validator that the other contracts stand on: it passes what Google sent, and notices whatever is not so."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from cloudml_magic.discovery import BodyError, document, normalise, violations

from .samples import NAMES, Sample, read

AIPLATFORM = document("aiplatform.v1")
STORAGE = document("storage.v1")
LOGGING = document("logging.v2")
V1 = "GoogleCloudAiplatformV1"

# Google's server of the older API answers it, and Google's document does not know it.
_UNDOCUMENTED = {"Unknown name \"framework\" at 'predictionInput': Cannot find field."}
# Their schemas allow any value.
_ANY = {"modelParameters", "predictions", "metadata"}
_UNCHECKED = _ANY | {"framework"}

Path = tuple[str | int, ...]


@pytest.mark.parametrize("name", NAMES)
def test_what_google_sent_is_valid(name: str) -> None:
    """Requests by the rules for clients, answers strictly: a validator that is too strict is no use either."""
    sample = read(name)
    for role, body in sample.bodies.items():
        schema = sample.schemas[role]
        if schema is None or sample.method.id.endswith("ml.projects.predict"):
            continue  # Its document says HttpBody, and everybody sends the body itself.
        if role == "request":
            assert normalise(sample.api, schema, body)
        else:
            found = {each.description for each in violations(sample.api, schema, body)}
            assert found <= _UNDOCUMENTED


def leaves(value: Any, where: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every plain value of a body, and where it lies."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*where, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*where, index))
    else:
        yield where, value


def with_value(body: Any, where: Path, value: Any) -> Any:
    changed = deepcopy(body)
    holder = changed
    for step in where[:-1]:
        holder = holder[step]
    holder[where[-1]] = value
    return changed


def strict_answers() -> list[Sample]:
    samples = [read(name) for name in NAMES]
    return [each for each in samples if "response" in each.bodies and "HttpBody" not in str(each.method.response)]


def wrong_values(value: Any) -> list[Any]:
    """Values of every other kind of JSON."""
    others: list[Any] = [None, {"cow": 1}, [[]], "no such value \n", 1.5, True]
    return [other for other in others if type(other) is not type(value)]


def more_wrong(sample: Sample, answer: Any) -> set[Any]:
    """What is wrong with an answer and was not with the recorded one."""
    schema = str(sample.method.response)
    return set(violations(sample.api, schema, answer)) - set(violations(sample.api, schema, sample.bodies["response"]))


@pytest.mark.parametrize("sample", strict_answers(), ids=lambda sample: sample.file)
def test_a_value_of_another_kind_is_noticed_wherever_it_stands(sample: Sample) -> None:
    """Each plain value of what Google answered, replaced in turn by every other kind of JSON value."""
    body = sample.bodies["response"]
    for where, value in leaves(body):
        if _UNCHECKED & set(where):
            continue
        for wrong in wrong_values(value):
            assert more_wrong(sample, with_value(body, where, wrong)), (where, wrong)


@pytest.mark.parametrize("sample", strict_answers(), ids=lambda sample: sample.file)
def test_an_unknown_name_is_noticed_wherever_it_stands(sample: Sample) -> None:
    """One more field in each object, unless the object is a map."""
    body = sample.bodies["response"]
    holders = {where[:length] for where, _ in leaves(body) for length in range(len(where))}
    for where in holders:
        holder = body
        for step in where:
            holder = holder[step]
        if isinstance(holder, dict) and not _ANY & set(where):
            assert more_wrong(sample, with_value(body, (*where, "noSuchField"), 1)), where


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        ("CustomJob", {"display_name": "x"}),
        ("CustomJob", {"state": "JOB_STATE_ASLEEP"}),
        ("CustomJob", {"state": "job_state_pending"}),
        ("CustomJob", {"state": 2}),
        ("CustomJob", {"createTime": "2026-01-02 03:04:05"}),
        ("CustomJob", {"createTime": "2026-01-02T03:04:05"}),
        ("CustomJob", {"createTime": "2026-13-02T03:04:05Z"}),
        ("CustomJob", {"createTime": 1767323045}),
        ("CustomJob", {"labels": {"a": 1}}),
        ("CustomJob", {"labels": ["a"]}),
        ("CustomJob", {"error": {"code": "3"}}),
        ("CustomJob", {"error": {"code": 3.0}}),
        ("CustomJob", {"error": {"code": 2**31}}),
        ("WorkerPoolSpec", {"replicaCount": 1}),
        ("WorkerPoolSpec", {"replicaCount": "one"}),
        ("WorkerPoolSpec", {"replicaCount": "1.0"}),
        ("WorkerPoolSpec", {"replicaCount": "9223372036854775808"}),
        ("WorkerPoolSpec", {"machineSpec": []}),
        ("Scheduling", {"timeout": "3600"}),
        ("Scheduling", {"timeout": 3600}),
        ("Scheduling", {"timeout": "1h"}),
        ("Scheduling", {"restartJobOnWorkerRestart": "true"}),
        ("Scheduling", {"restartJobOnWorkerRestart": 1}),
        ("PythonPackageSpec", {"args": "--epochs=3"}),
        ("PythonPackageSpec", {"env": [{"name": "A", "values": "b"}]}),
        ("PythonPackageSpec", {"packageUris": [None]}),
        ("PredictResponse", {"prediction": []}),
        ("Endpoint", {"trafficSplit": {"1": "100"}}),
    ],
)
def test_wrong_bodies_of_vertex_are_noticed(schema: str, body: Any) -> None:
    """One fault each, by the kinds of faults that a server could make."""
    assert len(violations(AIPLATFORM, f"{V1}{schema}", body)) == 1


@pytest.mark.parametrize(
    ("api", "schema", "body"),
    [
        (STORAGE, "Object", {"size": 5}),
        (STORAGE, "Object", {"timeCreated": "yesterday"}),
        (STORAGE, "Objects", {"items": {}}),
        (STORAGE, "Bucket", {"metageneration": 1}),
        (LOGGING, "ListLogEntriesResponse", {"entries": [{"severity": "LOUD"}]}),
        (LOGGING, "LogEntry", {"timestamp": "2026-01-02T03:04:05+01"}),
        (LOGGING, "LogEntry", {"jsonPayload": "text"}),
    ],
)
def test_wrong_bodies_of_other_apis_are_noticed(api: Any, schema: str, body: Any) -> None:
    """One fault each."""
    assert len(violations(api, schema, body)) == 1


@pytest.mark.parametrize(
    ("schema", "body", "field"),
    [
        ("CustomJob", {"jobSpec": {"workerPoolSpecs": [{"containerSpec": {"imageURI": "x"}}]}},
         "jobSpec.workerPoolSpecs[0].containerSpec"),
        ("CustomJob", {"jobSpec": {"scheduling": {"timeout": "soon"}}}, "jobSpec.scheduling.timeout"),
        ("CustomJob", {"jobSpec": {"workerPoolSpecs": [{"replicaCount": 1.5}]}},
         "jobSpec.workerPoolSpecs[0].replicaCount"),
        ("CustomJob", {"jobSpec": {"scheduling": {"strategy": "CHEAP"}}}, "jobSpec.scheduling.strategy"),
        ("CustomJob", {"labels": {"a": []}}, "labels.a"),
        ("UploadModelRequest", {"model": {"containerSpec": {"ports": [{"containerPort": "many"}]}}},
         "model.containerSpec.ports[0].containerPort"),
        ("DeployModelRequest", {"trafficSplit": {"0": 99.5}}, "trafficSplit.0"),
        ("BatchPredictionJob", {"inputConfig": {"gcsSource": {"uris": [3]}}}, "inputConfig.gcsSource.uris[0]"),
    ],
)  # fmt: skip
def test_wrong_requests_are_refused_with_their_place(schema: str, body: Any, field: str) -> None:
    """Also by the rules for clients, which forgive more."""
    with pytest.raises(BodyError) as caught:
        normalise(AIPLATFORM, f"{V1}{schema}", body)
    assert [each.field for each in caught.value.violations] == [field]


def test_all_that_is_wrong_is_told_at_once() -> None:
    """Not only the first fault."""
    body = {"displayName": 1, "jobSpec": {"scheduling": {"timeout": "x", "disableRetries": "maybe"}}, "cow": 2}
    with pytest.raises(BodyError) as caught:
        normalise(AIPLATFORM, f"{V1}CustomJob", body)
    assert len(caught.value.violations) == 4
