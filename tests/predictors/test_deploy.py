"""From a SavedModel in the bucket to an answer, and back."""

from __future__ import annotations

import pytest

from .conftest import Serving

pytestmark = pytest.mark.slow


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
