"""Online prediction of the older API: what the tutorials' own functions get to see."""

from __future__ import annotations

import json
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from .conftest import MODELS, PROJECT, Running, details, refusal_of, service_of


def predict_json(service: Any, project: str, model: str, instances: list[Any], version: str | None = None) -> Any:
    """As the documentation of the older API had it: the predictions, or an exception with the model's error."""
    name = f"projects/{project}/models/{model}"
    if version is not None:
        name += f"/versions/{version}"
    response = service.projects().predict(name=name, body={"instances": instances}).execute()
    if "error" in response:
        raise RuntimeError(response["error"])
    return response["predictions"]


def test_predictions_are_objects_by_output(platform: Running) -> None:
    """Also where there is only one output; by the default version, or by the one that is named."""
    platform.create_version("m", "v1", platform.model("one", 2))
    platform.create_version("m", "v2", platform.model("two", 3))
    service = service_of(platform)
    assert predict_json(service, "tutorial", "m", [{"inputs": [1, 2]}, {"inputs": [0, 1]}]) == [
        {"outputs": [2.0, 4.0]}, {"outputs": [0.0, 2.0]},
    ]  # fmt: skip
    assert predict_json(service, "tutorial", "m", [[1, 2]], "v2") == [{"outputs": [3.0, 6.0]}]
    platform.ask("POST", f"{MODELS}/m/versions/v2:setDefault", {})
    assert predict_json(service, "tutorial", "m", [[1, 2]]) == [{"outputs": [3.0, 6.0]}]
    answer = platform.ask("POST", f"{MODELS}/m:predict", {"instances": [[1, 2]], "signature_name": "serving_default"})
    assert answer == {"predictions": [{"outputs": [3.0, 6.0]}]}


def test_what_the_model_cannot_answer_is_no_http_error(platform: Running) -> None:
    """HTTP 200 and an `error` in place of predictions, as clients test for it; it says what was sent and what is wanted."""
    platform.create_version("m", "v1", platform.model("one"))
    predict = service_of(platform).projects().predict
    for body, words in (
        ({"instances": [[[[1, 2]]]]},
         "`inputs` was given with shape [1, 1, 1, 2]. The model takes float32 [?, 2], the number of instances first. 2"
         " dimensions too many: pass `x` instead of `[[x]]`."),
        ({"instances": [{"images": [1, 2]}]},
         "Instance 0 has an input `images` that the model does not have, and lacks `inputs`. The model takes inputs:"
         " float32 [?, 2]. Rename `images` to `inputs`."),
        ({"rows": []},
         "The body has the key 'rows'. Known are instances, inputs, signature_name, parameters."),
        ({"instances": [[1, 2]], "signature_name": "other"},
         "The model has no signature 'other'. It has serving_default."),
    ):  # fmt: skip
        response = predict(name=f"{PROJECT}/models/m", body=body).execute()
        assert response == {"error": f"Prediction failed: Error processing input: {words}"}


def test_a_body_that_is_no_json(platform: Running) -> None:
    """Told as what it is."""
    platform.create_version("m", "v1", platform.model("one"))
    status, headers, content = platform.send("POST", f"{MODELS}/m:predict", b"not json")
    assert status == 200
    assert "x-goog-hash" in headers
    assert json.loads(content)["error"].startswith("Prediction failed: Error processing input: The body is no JSON")


def test_who_is_not_there_is_an_http_error(platform: Running) -> None:
    """404 in Google's shape for a missing model or version; a model without versions is a failed precondition."""
    service = service_of(platform)
    platform.create_version("m", "v1", platform.model("one"))
    platform.ask("POST", MODELS, {"name": "empty"})
    for model, version, code, words in (
        ("none", None, 404, "The specified model was not found."),
        ("m", "v9", 404, "The specified model version was not found."),
        ("empty", None, 400, "The specified model has no default version. Create a version of it first."),
    ):
        with pytest.raises(HttpError) as caught:
            predict_json(service, "tutorial", model, [[1, 2]], version)
        assert refusal_of(caught.value) == (code, f"Field: name Error: {words}", details("name", words))


def test_a_request_may_not_be_too_large(platform: Running) -> None:
    """The limit of online prediction, told before the model is asked."""
    platform.create_version("m", "v1", platform.model("one"))
    error = platform.refused("POST", f"{MODELS}/m:predict", b"[" * 1_500_001)
    assert (error["code"], error["message"]) == (400, "Request payload size exceeds the limit: 1500000 bytes.")


def test_explanations_are_refused_in_words(platform: Running) -> None:
    """The platform computes none, and names the method."""
    with pytest.raises(HttpError) as caught:
        service_of(platform).projects().explain(name=f"{PROJECT}/models/m", body={"instances": []}).execute()
    assert refusal_of(caught.value)[:2] == (501, "The local platform does not emulate ml.projects.explain.")
