"""Vertex AI's endpoints without anything deployed on them, over a real socket and checked against Google's schema."""

from __future__ import annotations

from typing import Any

import pytest

from cloudml_magic.discovery import document, violations

from .conftest import Served
from .saved_models import write_model
from .test_models import MODELS, PARENT, bucket, done, upload

ENDPOINTS = f"{PARENT}/endpoints"
RESOURCES = {"machineSpec": {"machineType": "n1-standard-2"}, "minReplicaCount": 1}


def create(served: Served, id: str = "", **fields: Any) -> str:
    """The address of a new endpoint."""
    query = f"?endpointId={id}" if id else ""
    operation = done(served, served.ask("POST", f"{ENDPOINTS}{query}", {"displayName": "flowers", **fields}))
    assert "error" not in operation, operation
    return f"/v1/{operation['response']['name']}"


def test_an_endpoint_keeps_its_body_and_gains_what_a_server_adds(served: Served) -> None:
    """It is created by an operation, under the id that was wished, and found, listed, changed and deleted."""
    operation = served.ask("POST", f"{ENDPOINTS}?endpointId=my-one", {"displayName": "flowers", "labels": {"a": "b"}})
    assert operation["done"] is False
    assert operation["metadata"]["@type"].endswith(".CreateEndpointOperationMetadata")
    name = "projects/1/locations/us-central1/endpoints/my-one"
    assert done(served, operation)["response"]["name"] == name
    found = served.ask("GET", f"{ENDPOINTS}/my-one")
    assert violations(document("aiplatform.v1"), "GoogleCloudAiplatformV1Endpoint", found) == []
    assert (found["name"], found["displayName"], found["labels"]) == (name, "flowers", {"a": "b"})
    assert found["createTime"] and found["updateTime"] and found["etag"]
    other = create(served, displayName="other")
    assert [each["displayName"] for each in served.ask("GET", ENDPOINTS)["endpoints"]] == ["other", "flowers"]
    assert served.ask("GET", f"{ENDPOINTS}?filter=endpoint=my-one")["endpoints"] == [found]
    changes = {"displayName": "roses", "labels": {"c": "d"}, "description": "not in the mask"}
    patched = served.ask("PATCH", f"{ENDPOINTS}/my-one?updateMask=display_name,labels", changes)
    assert (patched["displayName"], patched["labels"], "description" in patched) == ("roses", {"c": "d"}, False)
    assert "response" in done(served, served.ask("DELETE", other))
    assert served.refused("GET", other)["code"] == 404


@pytest.mark.parametrize(
    ("query", "body", "code"),
    [
        ("?endpointId=my-one", {"displayName": "x"}, 409), ("?endpointId=0", {"displayName": "x"}, 400),
        ("?endpointId=Big", {"displayName": "x"}, 400), ("?endpointId=1234567890", {"displayName": "x"}, 400),
        ("", {}, 400), ("", {"displayName": "x" * 129}, 400), ("", {"displayName": "x", "labels": {"A": "b"}}, 400),
        ("", {"displayName": "x", "trafficSplit": {"1": 100}}, 400), ("", {"displayName": "x", "cows": 1}, 400),
    ],
)  # fmt: skip
def test_bad_endpoints_are_refused(served: Served, query: str, body: Any, code: int) -> None:
    """Ids that are taken or none, and what an endpoint cannot have."""
    create(served, "my-one")
    assert served.refused("POST", ENDPOINTS + query, body)["code"] == code
    assert len(served.ask("GET", ENDPOINTS)["endpoints"]) == 1


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        ({}, 400, "deployed_model.model '' is no name of a Model."),
        ({"deployedModel": {"model": f"{MODELS[4:]}/none", "dedicatedResources": RESOURCES}}, 404,
         "The Model projects/1/locations/us-central1/models/none does not exist."),
        ({"deployedModel": {"model": f"{MODELS[4:]}/m"}}, 400,
         "List of found errors:\t1.Field: deployed_model.dedicated_resources; Message: Required: the model supports"
         " DEDICATED_RESOURCES only.\t"),
        ({"deployedModel": {"model": f"{MODELS[4:]}/m", "dedicatedResources": RESOURCES}, "trafficSplit": {"0": 90}},
         400, "The percentages of traffic_split add up to 90; they must add up to 100."),
        ({"deployedModel": {"model": f"{MODELS[4:]}/m", "dedicatedResources": RESOURCES},
          "trafficSplit": {"0": 50, "9": 50}}, 400, "traffic_split names '9', which is not deployed on the endpoint."),
        ({"deployedModel": {"model": f"{MODELS[4:]}/m", "dedicatedResources": RESOURCES, "id": "12345678901"}}, 400,
         "deployed_model.id '12345678901' is no id: it has 1 to 10 digits."),
        ({"deployedModel": {"model": f"{MODELS[4:]}/m", "dedicatedResources": RESOURCES, "id": "0"}}, 400,
         "deployed_model.id must not be 0, which stands for the new one in a split."),
    ],
)  # fmt: skip
def test_bad_deployments_are_refused_at_once(served: Served, body: Any, code: int, text: str) -> None:
    """What could never be deployed is no operation at all."""
    write_model(bucket(served) / "m")
    upload(served, modelId="m")
    endpoint = create(served)
    error = served.refused("POST", f"{endpoint}:deployModel", body)
    assert (error["code"], error["message"]) == (code, text)
    assert "deployedModels" not in served.ask("GET", endpoint)


def test_an_endpoint_without_a_model_says_so(served: Served) -> None:
    """Predictions, undeployments and explanations of what is not there are refused in words."""
    endpoint = create(served)
    for verb in ("predict", "rawPredict"):
        error = served.refused("POST", f"{endpoint}:{verb}", {"instances": [1]})
        assert (error["status"], error["message"]) == (
            "FAILED_PRECONDITION", "The endpoint has no deployed model. Deploy one first.",
        )  # fmt: skip
        assert served.refused("POST", f"{ENDPOINTS}/none:{verb}", {"instances": [1]})["code"] == 404
    assert served.refused("POST", f"{endpoint}:predict", {}, {"x-cloudml-deployed-model": "5"})["message"] == (
        "The endpoint has no DeployedModel '5'."
    )
    assert served.refused("POST", f"{endpoint}:undeployModel", {"deployedModelId": "5"})["code"] == 404
    assert served.refused("POST", f"{endpoint}:undeployModel", {})["code"] == 400
    assert "explains nothing" in served.refused("POST", f"{endpoint}:explain", {"instances": [1]})["message"]
    assert served.refused("PATCH", f"{endpoint}?updateMask=trafficSplit", {"trafficSplit": {"5": 100}})["code"] == 400
    assert served.refused("POST", f"{endpoint}:predict?cows=1", {"instances": [1]})["code"] == 400


def test_a_prediction_that_is_too_large_is_refused_unread(served: Served) -> None:
    """Beyond 1.5 MB the limit is named, whether the length is told or not."""
    endpoint = create(served)
    for verb in ("predict", "rawPredict"):
        error = served.refused("POST", f"{endpoint}:{verb}", b" " * 1_500_001)
        assert (error["code"], error["message"]) == (400, "Request payload size exceeds the limit: 1500000 bytes.")
    assert "no deployed model" in served.refused("POST", f"{endpoint}:predict", b" " * 1_500_000)["message"]


def test_status_counts_what_is_deployed(served: Served) -> None:
    """Nothing is, here."""
    status = served.ask("GET", "/cloudml/v1/status")
    assert (status["deployedModels"], status["runningPredictors"]) == (0, 0)
