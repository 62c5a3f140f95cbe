"""Models: deployed in the background, asked, taken away; what a page names is never a file of this machine."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.pipeline.prediction.given import given
from cloudml_magic.pipeline.prediction.requests import instances_as_json
from cloudml_magic.places import PlatformPlaces
from cloudml_magic.records import ModelInterface, Signature, TensorSpec
from cloudml_magic.server_extension.model_documents import example
from tests.deployment.conftest import Platform
from tests.server_extension.conftest import Server, in_thread, send

PREDICTION = json.loads((files("cloudml_magic.cards") / "schema" / "prediction.schema.json").read_text())


@pytest.fixture
def doubler(home: Path) -> str:
    """The address of a model that doubles."""
    platform = Platform(PlatformPlaces.of_this_user())
    if not platform.path("doubler").exists():
        return platform.model("doubler")
    with suppress(FileExistsError):
        platform.certify("doubler")  # Its engine goes with the last version that was deployed.
    return "gs://cloudml-local/doubler"


async def ended(server: Server, operation: dict[str, Any]) -> dict[str, Any]:
    assert set(operation) == {"id", "kind", "title", "job", "done", "stage", "error", "result"}
    while not operation["done"]:
        await in_thread(lambda: None)
        operation = await server.get("operations", operation["id"])
    return operation


async def test_a_model_comes_answers_and_goes(server: Server, doubler: str) -> None:
    deployed = await ended(server, await server.post("models", "deploy", what=doubler, **{"as": "twice"}))
    assert deployed["error"] is None and deployed["result"]["title"] == "twice/1"
    (model,) = (each for each in (await server.get("models"))["models"] if each["name"] == "twice")
    (version,) = model["versions"]
    assert version["title"] == "twice/1" and version["deployed"]["traffic"] == 100
    assert version["deployed"]["replicas"] == [1, 1] and model["endpoint"] == deployed["result"]["address"]
    assert (await server.get("status"))["deployed"] == 1

    interface = await server.get("models", "interface", title="twice/1")
    assert interface["takes"] == "json" and interface["picture"] is None
    document = await server.post("models", "predict", title="twice", instances=interface["example"])
    assert document["count"] == 1 and document["model"] == "twice"
    again = await ended(server, await server.post("models", "deploy", what="twice/1"))
    assert again["result"]["title"] == "twice/1"

    status, parts = await server.refused("GET", "models", "removal", params={"title": "twice"})
    assert (status, parts["what"]) == (409, "twice cannot be deleted while it is deployed.")
    undeployed = await ended(server, await server.post("models", "undeploy", title="twice"))
    assert undeployed["error"] is None and undeployed["result"] is None
    status, parts = await server.refused(
        "POST", "models", "predict", body=json.dumps({"title": "twice", "instances": [1]})
    )
    assert (status, parts["reference"]) == (409, "model-not-deployed")
    words = (await server.get("models", "removal", title="twice"))["words"]
    assert words == "model twice with version 1 and its endpoint"
    body = json.dumps({"title": "twice", "words": "model twice with versions 1, 2"})
    status, parts = await server.refused("POST", "models", "delete", body=body)
    assert (status, parts["reference"]) == (409, "removal-changed")
    assert await server.post("models", "delete", title="twice", words=words) == {}
    assert "twice" not in [each["name"] for each in (await server.get("models"))["models"]]


async def test_why_nothing_was_deployed_is_told(server: Server, doubler: str) -> None:
    operation = await ended(server, await server.post("models", "deploy", what="gs://cloudml-local/nothing/there"))
    assert operation["result"] is None
    assert set(operation["error"]) == {"reference", "what", "why", "next"}
    job = await in_thread(lambda: send("print(1)", "barren").wait())
    operation = await ended(server, await server.post("jobs", job.id, "deploy"))
    assert operation["error"]["reference"] == "job-left-no-export"


async def test_a_deployment_says_whose_model_it_is(server: Server, doubler: str) -> None:
    """By its id, for the model may have any name."""
    job = await in_thread(lambda: send("print(1)", "nameless").wait())
    by_id = await server.post("jobs", job.id, "deploy", **{"as": "another"})
    by_name = await server.post("models", "deploy", what="nameless")
    assert [(each["title"], each["job"]) for each in (by_id, by_name)] == [("another", job.id), ("nameless", job.id)]
    assert (await server.post("models", "deploy", what="gs://cloudml-local/nothing/there"))["job"] is None


@pytest.mark.parametrize(
    "what", ["/etc", "/etc/passwd", "~", "~/model", "../model", "model.keras", "x", "os", "Server"]
)
async def test_no_path_and_no_variable_is_deployed(server: Server, doubler: str, what: str, tmp_path: Path) -> None:
    status, parts = await server.refused("POST", "models", "deploy", body=json.dumps({"what": what}))
    assert status in (400, 404)
    assert parts["reference"] in ("unknown-job", "bad-model-name", "unknown-model")


async def test_a_local_folder_that_is_a_model_is_not_deployed(server: Server, doubler: str, home: Path) -> None:
    folder = PlatformPlaces.of_this_user().buckets / "cloudml-local" / "doubler"
    assert (folder / "saved_model.pb").is_file()
    status, _ = await server.refused("POST", "models", "deploy", body=json.dumps({"what": str(folder)}))
    assert status == 400


async def test_a_keras_file_needs_a_kernel(server: Server, doubler: str) -> None:
    status, parts = await server.refused(
        "POST", "models", "deploy", body=json.dumps({"what": "gs://cloudml-local/m.keras"})
    )
    assert (status, parts["reference"]) == (400, "deploy-needs-export")


async def test_pictures_are_given_as_bytes_only(server: Server, doubler: str) -> None:
    deployed = await ended(server, await server.post("models", "deploy", what=doubler, **{"as": "numbers"}))
    assert deployed["error"] is None
    picture = {"name": "../../etc/passwd", "content": base64.b64encode(b"GIF89a").decode()}
    body = json.dumps({"title": "numbers", "pictures": [picture]})
    status, parts = await server.refused("POST", "models", "predict", body=body)
    assert (status, parts["reference"]) == (400, "no-picture-model")


SPECS = {
    "a row": (TensorSpec("x", "float32", (None, 5)),),
    "a number": (TensorSpec("x", "float32", (None, 1)),),
    "a picture's numbers": (TensorSpec("x", "float32", (None, 28, 28, 1)),),
    "any length": (TensorSpec("x", "int64", (None, None)),),
    "a text": (TensorSpec("x", "string", (None,)),),
    "several": (TensorSpec("age", "int64", (None, 1)), TensorSpec("job", "string", (None, 1))),
}


@pytest.mark.parametrize("name", SPECS)
def test_an_example_is_taken(name: str) -> None:
    signature = Signature("serving_default", SPECS[name], (TensorSpec("y", "float32", (None, 1)),))
    interface = ModelInterface({"serving_default": signature})
    asked = given(example(signature), interface, lambda where: b"", 1000)
    assert asked.count == 1
    json.dumps(instances_as_json(asked), allow_nan=False)


def test_nobody_types_a_photograph() -> None:
    signature = Signature("serving_default", (TensorSpec("x", "float32", (None, 224, 224, 3)),), ())
    assert example(signature) is None
