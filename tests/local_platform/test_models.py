"""Vertex AI's models and versions, over a real socket and checked against Google's schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.discovery import document, violations

from .conftest import Served
from .saved_models import saved_model, write_model

PARENT = "/v1/projects/local/locations/us-central1"
MODELS = f"{PARENT}/models"
IMAGE = "us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-15:latest"


def bucket(served: Served) -> Path:
    return served.places.buckets / "cloudml-local"


def model(uri: str = "gs://cloudml-local/m", **fields: Any) -> dict[str, Any]:
    return {"displayName": "flowers", "artifactUri": uri, "containerSpec": {"imageUri": IMAGE}, **fields}


def done(served: Served, operation: Any) -> Any:
    while not operation["done"]:
        operation = served.ask("POST", f"/v1/{operation['name']}:wait?timeout=5s")
    return operation


def upload(served: Served, body: Any = None, **request: Any) -> str:
    """The id of a new version, as `M@1`."""
    operation = done(served, served.ask("POST", f"{MODELS}:upload", {"model": body or model(), **request}))
    assert "error" not in operation, operation
    answer = operation["response"]
    return f"{answer['model'].rpartition('/')[2]}@{answer['modelVersionId']}"


def failed(served: Served, body: Any, **request: Any) -> dict[str, Any]:
    """The error of an upload that is refused when its files are read."""
    operation = done(served, served.ask("POST", f"{MODELS}:upload", {"model": body, **request}))
    error: dict[str, Any] = operation["error"]
    return error


def test_a_model_keeps_its_body_and_gains_what_a_server_adds(served: Served) -> None:
    """The upload is answered unfinished; the model is its body plus name, version, aliases, times and resources."""
    write_model(bucket(served) / "m")
    sent = model(labels={"team": "a"}, description="of the garden")
    operation = served.ask("POST", f"{MODELS}:upload", {"model": sent, "modelId": "flowers"})
    assert operation["done"] is False
    assert operation["name"].startswith("projects/1/locations/us-central1/models/flowers/operations/")
    kind = "type.googleapis.com/google.cloud.aiplatform.v1."
    assert operation["metadata"]["@type"] == f"{kind}UploadModelOperationMetadata"
    finished = done(served, operation)
    name = "projects/1/locations/us-central1/models/flowers"
    assert finished["response"] == {"@type": f"{kind}UploadModelResponse", "model": name, "modelVersionId": "1"}
    found = served.ask("GET", f"{MODELS}/flowers")
    assert violations(document("aiplatform.v1"), "GoogleCloudAiplatformV1Model", found) == []
    assert {key: found[key] for key in sent} == sent
    assert (found["name"], found["versionId"], found["versionAliases"]) == (name, "1", ["default"])
    assert found["supportedDeploymentResourcesTypes"] == ["DEDICATED_RESOURCES"]
    assert found["createTime"] <= found["updateTime"] and found["versionCreateTime"] and found["etag"]


def test_versions_and_aliases(served: Served) -> None:
    """A version is found by number and alias, %40 or not; an alias that is given again leaves the version before."""
    write_model(bucket(served) / "m")
    upload(served, model(versionAliases=["stable"]), modelId="m")
    assert upload(served, model(versionAliases=["stable", "new"]), parentModel=f"{MODELS[4:]}/m") == "m@2"
    assert upload(served, model(versionAliases=["default"]), parentModel=f"{MODELS[4:]}/m") == "m@3"
    aliases = {each["versionId"]: each.get("versionAliases", []) for each in versions(served, "m")}
    assert aliases == {"1": [], "2": ["stable", "new"], "3": ["default"]}
    for wanted, version in (("m", "3"), ("m@2", "2"), ("m%402", "2"), ("m@new", "2"), ("m%40default", "3")):
        assert served.ask("GET", f"{MODELS}/{wanted}")["versionId"] == version
    assert served.refused("GET", f"{MODELS}/m@9")["message"] == (
        "The Model projects/1/locations/us-central1/models/m@9 does not exist."
    )


def versions(served: Served, id: str) -> Any:
    return served.ask("GET", f"{MODELS}/{id}:listVersions")["models"]


def test_aliases_are_merged(served: Served) -> None:
    """Aliases come and go by mergeVersionAliases; the default one can move but not vanish."""
    write_model(bucket(served) / "m")
    upload(served, modelId="m")
    upload(served, parentModel=f"{MODELS[4:]}/m")
    merged = served.ask("POST", f"{MODELS}/m@2:mergeVersionAliases", {"versionAliases": ["default", "golden"]})
    assert merged["versionAliases"] == ["default", "golden"]
    assert "versionAliases" not in served.ask("GET", f"{MODELS}/m@1")
    assert served.ask("POST", f"{MODELS}/m@2:mergeVersionAliases", {"versionAliases": ["-golden"]})[
        "versionAliases"
    ] == ["default"]
    assert served.refused("POST", f"{MODELS}/m@2:mergeVersionAliases", {"versionAliases": ["-default"]})["message"] == (
        "The alias default cannot be removed from projects/1/locations/us-central1/models/m@2: a model has exactly one"
        " default version. Give it to another version instead."
    )
    assert (
        "is no version alias"
        in served.refused("POST", f"{MODELS}/m@2:mergeVersionAliases", {"versionAliases": ["7up"]})["message"]
    )
    assert (
        "must say which version"
        in served.refused("POST", f"{MODELS}/m:mergeVersionAliases", {"versionAliases": ["x"]})["message"]
    )


def test_versions_are_deleted_but_not_the_default_one(served: Served) -> None:
    """Another version than the default one can go; its number does not come back."""
    write_model(bucket(served) / "m")
    upload(served, modelId="m")
    upload(served, parentModel=f"{MODELS[4:]}/m")
    error = served.refused("DELETE", f"{MODELS}/m@1:deleteVersion")
    assert (error["code"], error["status"]) == (400, "FAILED_PRECONDITION")
    assert error["message"] == (
        "projects/1/locations/us-central1/models/m@1 is the default version of its model and cannot be deleted. Make"
        " another version the default, or delete the model."
    )
    assert "response" in done(served, served.ask("DELETE", f"{MODELS}/m@2:deleteVersion"))
    assert upload(served, parentModel=f"{MODELS[4:]}/m") == "m@3"
    assert "use deleteVersion" in served.refused("DELETE", f"{MODELS}/m@3")["message"]
    assert "response" in done(served, served.ask("DELETE", f"{MODELS}/m"))
    assert served.refused("GET", f"{MODELS}/m")["code"] == 404
    assert served.ask("GET", MODELS) == {}


def test_models_are_listed_filtered_ordered_and_paged(served: Served) -> None:
    """A list holds the default version of each model; filters, order and pages are Google's."""
    write_model(bucket(served) / "m")
    for number in range(5):
        upload(served, model(displayName=f"m{number % 3}", labels={"n": str(number)}), modelId=f"id{number}")
    upload(served, model(displayName="later", versionAliases=["x"]), parentModel=f"{MODELS[4:]}/id0")

    def listed(query: str) -> list[str]:
        found, token = [], ""
        while True:
            answer = served.ask("GET", f"{MODELS}?{query}&pageToken={token}")
            found += [each["name"].rpartition("/")[2] for each in answer.get("models", [])]
            token = answer.get("nextPageToken", "")
            if not token:
                return found

    assert listed("pageSize=2") == ["id4", "id3", "id2", "id1", "id0"]
    assert listed("filter=display_name=%22m1%22") == ["id4", "id1"]
    assert listed("filter=labels.n=3") == ["id3"]
    assert listed("filter=model=id2") == ["id2"]
    assert listed("pageSize=2&orderBy=display_name,create_time%20desc") == ["id3", "id0", "id4", "id1", "id2"]
    assert served.refused("GET", f"{MODELS}?orderBy=cows")["message"] == "Invalid order_by: 'cows'."


def test_a_patch_changes_what_its_mask_names(served: Served) -> None:
    """Names are the model's, labels the version's; an old etag is refused; fields that cannot change are named."""
    write_model(bucket(served) / "m")
    upload(served, modelId="m")
    upload(served, parentModel=f"{MODELS[4:]}/m")
    changes = {"displayName": "roses", "labels": {"a": "b"}, "description": "x"}
    patched = served.ask("PATCH", f"{MODELS}/m@2?updateMask=display_name,labels", changes)
    assert (patched["displayName"], patched["labels"], "description" in patched) == ("roses", {"a": "b"}, False)
    first = served.ask("GET", f"{MODELS}/m@1")
    assert (first["displayName"], "labels" in first) == ("roses", False)
    stale = {"displayName": "tulips", "etag": "0123"}
    assert served.refused("PATCH", f"{MODELS}/m?updateMask=displayName", stale)["status"] == "ABORTED"
    assert served.ask("PATCH", f"{MODELS}/m?updateMask=displayName", {**stale, "etag": first["etag"]})
    assert served.refused("PATCH", f"{MODELS}/m?updateMask=artifactUri", {})["message"] == (
        "update_mask: 'artifactUri' cannot be updated; what can is description, displayName, labels,"
        " versionDescription."
    )


@pytest.mark.parametrize(
    ("changes", "status", "text"),
    [
        ({"artifactUri": "gs://elsewhere/m"}, "INVALID_ARGUMENT",
         "The local platform has no bucket elsewhere; it reads models from its own buckets only."),
        ({"artifactUri": "http://169.254.169.254/m"}, "INVALID_ARGUMENT",
         "The artifact URI 'http://169.254.169.254/m' is no gs:// address of a folder."),
        ({"artifactUri": "file:///etc"}, "INVALID_ARGUMENT",
         "The artifact URI 'file:///etc' is no gs:// address of a folder."),
        ({"artifactUri": "gs://cloudml-local/../../x"}, "INVALID_ARGUMENT",
         "The artifact URI 'gs://cloudml-local/../../x' is no gs:// address of a folder."),
        ({"artifactUri": "gs://cloudml-local/link"}, "INVALID_ARGUMENT", "There is no folder gs://cloudml-local/link."),
        ({"artifactUri": "gs://cloudml-local/empty"}, "FAILED_PRECONDITION",
         "Model directory gs://cloudml-local/empty is expected to contain exactly one of: [saved_model.pb,"
         " saved_model.pbtxt]."),
        ({"artifactUri": "gs://cloudml-local/two"}, "FAILED_PRECONDITION",
         "Model directory gs://cloudml-local/two is expected to contain exactly one of: [saved_model.pb,"
         " saved_model.pbtxt]."),
        ({"containerSpec": {"imageUri": "gcr.io/mine/app:1"}}, "INVALID_ARGUMENT",
         "The image gcr.io/mine/app:1 cannot serve on the local platform, which runs no containers: its own serving"
         " process stands in for vertex-ai/prediction/tf2-* and tensorflow/serving images only. Use one of these, or"
         " upload the model to the cloud."),
        ({"artifactUri": ""}, "INVALID_ARGUMENT", "List of found errors:\t1.Field: model.artifact_uri; Message:"
         " Required on the local platform, which serves SavedModels.\t"),
        ({"versionAliases": ["Bad!"]}, "INVALID_ARGUMENT",
         "'Bad!' is no version alias: up to 128 characters of a-z, 0-9 and -, the first a letter."),
    ],
)  # fmt: skip
def test_uploads_that_could_never_be_served_are_refused(
    served: Served, changes: dict[str, Any], status: str, text: str
) -> None:
    """Only folders of our own buckets with one SavedModel, under an image that we stand in for, are taken."""
    write_model(bucket(served) / "m")
    (bucket(served) / "empty").mkdir()
    (bucket(served) / "link").symlink_to(bucket(served) / "m")
    (write_model(bucket(served) / "two") / "saved_model.pbtxt").write_text("")
    error = served.refused("POST", f"{MODELS}:upload", {"model": {**model(), **changes}})
    assert (error["code"], error["status"], error["message"]) == (400, status, text)
    assert served.ask("GET", MODELS) == {}


def test_folders_as_tensorflow_serving_has_them(served: Served) -> None:
    """With its argument the artifact holds numbered folders, of which the highest is served; without it a model."""
    for number in ("2", "10"):
        write_model(bucket(served) / "numbered" / number)
    container = {"imageUri": "tensorflow/serving", "args": ["--model_base_path=$(AIP_STORAGE_URI)"]}
    body = model(uri="gs://cloudml-local/numbered", containerSpec=container)
    assert upload(served, body, modelId="numbered") == "numbered@1"
    assert served.ask("GET", f"{MODELS}/numbered")["artifactUri"] == "gs://cloudml-local/numbered"
    (pinned,) = served.platform._models.versions("us-central1", "numbered")
    assert pinned.pinned.keys() >= {"saved_model.pb"}
    (bucket(served) / "empty").mkdir()
    refused = served.refused(
        "POST", f"{MODELS}:upload", {"model": model(uri="gs://cloudml-local/empty", containerSpec=container)}
    )
    assert (
        refused["message"] == "TensorFlow Serving expects folders that are called 1, 2, … in gs://cloudml-local/empty."
    )
    refused = served.refused("POST", f"{MODELS}:upload", {"model": model(uri="gs://cloudml-local/numbered")})
    assert "expected to contain exactly one of" in refused["message"]


@pytest.mark.parametrize(
    "image",
    [
        IMAGE, "europe-docker.pkg.dev/vertex-ai/prediction/tf2-gpu.2-8:latest", "tensorflow/serving",
        "gcr.io/cloud-aiplatform/prediction/tf2-cpu.2-15:latest", "docker.io/tensorflow/serving:2.19.0",
        "us-docker.pkg.dev/vertex-ai/prediction/tf_opt-cpu.nightly:latest", "tensorflow/serving:latest-gpu",
        "us-central1-docker.pkg.dev/my-project/cloudml-docker-hub/tensorflow/serving:2.21.0",
    ],
)  # fmt: skip
def test_serving_images_of_tensorflow_are_stood_in_for(served: Served, image: str) -> None:
    """Google's own and TensorFlow Serving's, wherever they are pulled from."""
    write_model(bucket(served) / "m")
    assert upload(served, model(containerSpec={"imageUri": image}), modelId="m") == "m@1"


def test_a_half_uploaded_model_is_refused(served: Served) -> None:
    """What the manifest lists must be there; the error says what is missing, by the address that the user knows."""
    write_model(bucket(served) / "m", manifest=True)
    (bucket(served) / "m" / "variables" / "variables.index").unlink()
    error = failed(served, model())
    assert error == {
        "code": 9,
        "message": "The model in gs://cloudml-local/m is not whole: variables/variables.index is missing. cloudml.json"
        " lists the files of the export with their digests. Copy the folder again, or export the model anew.",
    }
    assert served.ask("GET", MODELS) == {}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (saved_model(), "The SavedModel in gs://cloudml-local/m has no signature, so nothing can be asked of it."),
        (saved_model("serving_default")[:40], "gs://cloudml-local/m/saved_model.pb cannot be read."),
        (b"\xff" * 50, "gs://cloudml-local/m/saved_model.pb cannot be read."),
    ],
)
def test_a_saved_model_that_nothing_can_be_asked_of_is_refused(served: Served, content: bytes, text: str) -> None:
    """Without a signature, or cut off."""
    (write_model(bucket(served) / "m") / "saved_model.pb").write_bytes(content)
    error = failed(served, model())
    assert (error["code"], error["message"][: len(text)]) == (9, text)


def test_a_model_holds_regular_files_only(served: Served, tmp_path: Path) -> None:
    """A link in a model could lead anywhere, later too."""
    (tmp_path / "elsewhere").mkdir()
    (write_model(bucket(served) / "m") / "assets").symlink_to(tmp_path / "elsewhere")
    assert failed(served, model())["message"] == (
        "assets in gs://cloudml-local/m is no regular file; a model holds regular files only."
    )


def test_ids_and_parents_are_checked(served: Served) -> None:
    """An id that is taken, is none, or has no model is refused."""
    write_model(bucket(served) / "m")
    upload(served, modelId="m")
    for request, code in (
        ({"modelId": "m"}, 409), ({"modelId": "7m"}, 400), ({"modelId": "M"}, 400), ({"parentModel": "m"}, 400),
        ({"parentModel": f"{MODELS[4:]}/none"}, 404), ({"parentModel": f"{MODELS[4:]}/m", "modelId": "n"}, 400),
    ):  # fmt: skip
        assert served.refused("POST", f"{MODELS}:upload", {"model": model(), **request})["code"] == code
    assert len(upload(served).partition("@")[0]) == 19


def test_secrets_of_a_container_are_masked(served: Served) -> None:
    """Variables that the model declares secret are shown to nobody."""
    write_model(bucket(served) / "m")
    env = [{"name": "CLOUDML_SECRETS", "value": "KEY"}, {"name": "KEY", "value": "canary-7"}]
    upload(served, model(containerSpec={"imageUri": IMAGE, "env": env}), modelId="m")
    shown = json.dumps([served.ask("GET", f"{MODELS}/m"), served.ask("GET", MODELS)])
    assert "canary-7" not in shown and '"***"' in shown
