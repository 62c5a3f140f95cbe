"""The older API's models, versions and operations through googleapiclient, the versions served by real processes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from cloudml_magic.discovery import document, violations
from tests.local_platform.conftest import places_in

from .conftest import MODELS, PROJECT, Running, checked, details, refusal_of, running, service_of, write_multiplier

NOT_FOUND = "The specified model was not found."
NO_VERSION = "The specified model version was not found."
EMPTY = {"@type": "type.googleapis.com/google.protobuf.Empty"}


@pytest.fixture
def models(platform: Running) -> Any:
    return service_of(platform).projects().models()


def refused(request: Any) -> tuple[int, str, Any]:
    with pytest.raises(HttpError) as caught:
        request.execute()
    return refusal_of(caught.value)


def named(model: str, version: str = "") -> str:
    return f"{PROJECT}/models/{model}" + (f"/versions/{version}" if version else "")


def version(name: str, uri: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "deploymentUri": uri, "runtimeVersion": "1.2", **fields}


def test_a_model_is_there_at_once(models: Any) -> None:
    """`models create`: the answer is the model, its name the full one, its region Google's default."""
    created = checked("Model", models.create(parent=PROJECT, body={"name": "OperaCapitol"}).execute())
    assert created.keys() == {"name", "regions", "etag"}
    assert (created["name"], created["regions"]) == (named("OperaCapitol"), ["us-central1"])
    assert models.get(name=named("OperaCapitol")).execute() == created
    sent = {"name": "other", "regions": ["europe-west1"], "labels": {"a": "b"}, "description": "d",
            "onlinePredictionLogging": True}  # fmt: skip
    other = models.create(parent=PROJECT, body=sent).execute()
    assert {name: other[name] for name in sent} == {**sent, "name": named("other")}
    listed = checked("ListModelsResponse", models.list(parent=PROJECT).execute())["models"]
    assert [each["name"] for each in listed] == [named("other"), named("OperaCapitol")]
    assert len(models.list(parent=PROJECT, filter="labels.a=b").execute()["models"]) == 1


def test_names_of_models(models: Any) -> None:
    """The rule of all names, one model a name, and a region at most."""
    words = "A name should start with a letter and contain only letters, numbers and underscores."
    assert refused(models.create(parent=PROJECT, body={"name": "my-model"})) == (
        400, f"Field: model.name Error: {words}", details("model.name", words),
    )  # fmt: skip
    models.create(parent=PROJECT, body={"name": "a"}).execute()
    words = "A model with the same name already exists."
    assert refused(models.create(parent=PROJECT, body={"name": "a"})) == (
        409, f"Field: model.name Error: {words}", details("model.name", words),
    )  # fmt: skip
    models.create(parent=PROJECT, body={"name": "A"}).execute()
    assert refused(models.create(parent=PROJECT, body={"name": "b", "regions": ["r", "s"]}))[:2] == (
        400, "Field: model.regions Error: Only one region per model is supported.",
    )  # fmt: skip


def test_a_version_is_created_by_an_operation(platform: Running, models: Any) -> None:
    """`versions create`: an operation named as Google names it, at its end the version, which is the default."""
    models.create(parent=PROJECT, body={"name": "keras_model"}).execute()
    uri = platform.model("export")
    body = version("v1", uri, framework="TENSORFLOW", pythonVersion="3.5", labels={"k": "v"}, machineType="n1-standard-2",
                   manualScaling={"nodes": 2})  # fmt: skip
    begun = models.versions().create(parent=named("keras_model"), body=body).execute()
    assert re.fullmatch(rf"{PROJECT}/operations/create_keras_model_v1-\d{{13}}", begun["name"])
    assert "done" not in begun
    metadata = begun["metadata"]
    assert metadata["@type"] == "type.googleapis.com/google.cloud.ml.v1.OperationMetadata"
    assert (metadata["operationType"], metadata["modelName"]) == ("CREATE_VERSION", named("keras_model"))
    assert (metadata["version"]["name"], metadata["version"]["state"]) == (named("keras_model", "v1"), "CREATING")
    assert metadata["labels"] == {"k": "v"}
    ended = platform.done(begun)
    assert violations(document("ml.v1"), "GoogleLongrunning__Operation", ended) == []
    assert ended["metadata"]["endTime"] >= ended["metadata"]["createTime"]
    made = dict(ended["response"])
    assert made.pop("@type") == "type.googleapis.com/google.cloud.ml.v1.Version"
    assert checked("Version", made) == models.versions().get(name=named("keras_model", "v1")).execute()
    assert (made["state"], made["isDefault"]) == ("READY", True)
    assert {name: made[name] for name in body} == {**body, "name": named("keras_model", "v1")}
    model = checked("Model", models.get(name=named("keras_model")).execute())
    assert model["defaultVersion"] == made
    operations = service_of(platform).projects().operations()
    assert operations.get(name=begun["name"]).execute() == ended
    assert operations.list(name=PROJECT).execute()["operations"] == [ended]
    assert operations.list(name=PROJECT, filter="done:true").execute()["operations"] == [ended]
    assert operations.cancel(name=begun["name"]).execute() == {}


def test_the_default_moves_and_the_last_version_goes(platform: Running, models: Any) -> None:
    """setDefault, delete of another version, of the default only as the last, of a model only when it is empty."""
    versions = models.versions()
    for number in (1, 2):
        platform.create_version("m", f"v{number}", platform.model(f"export{number}"))
    listed = checked("ListVersionsResponse", versions.list(parent=named("m")).execute())["versions"]
    assert [(each["name"], each.get("isDefault")) for each in listed] == [
        (named("m", "v2"), None), (named("m", "v1"), True),
    ]  # fmt: skip
    assert refused(versions.delete(name=named("m", "v1")))[1] == (
        "Field: name Error: The default version of a model can only be deleted when it is the only one. Make another"
        " version the default first."
    )
    assert checked("Version", versions.setDefault(name=named("m", "v2"), body={}).execute())["isDefault"] is True
    assert refused(models.delete(name=named("m")))[1] == (
        "Field: name Error: A model can only be deleted when it has no versions. It has v2, v1."
    )
    gone = versions.delete(name=named("m", "v1")).execute()
    assert re.fullmatch(rf"{PROJECT}/operations/delete_m_v1-\d{{13}}", gone["name"])
    assert gone["metadata"]["operationType"] == "DELETE_VERSION"
    assert platform.done(gone)["response"] == EMPTY
    assert refused(versions.get(name=named("m", "v1"))) == (
        404, f"Field: name Error: {NO_VERSION}", details("name", NO_VERSION),
    )  # fmt: skip
    platform.done(versions.delete(name=named("m", "v2")).execute())
    assert "defaultVersion" not in models.get(name=named("m")).execute()
    assert versions.list(parent=named("m")).execute() == {}
    assert platform.done(models.delete(name=named("m")).execute())["response"] == EMPTY
    assert refused(models.get(name=named("m"))) == (
        404, f"Field: name Error: {NOT_FOUND}", details("name", NOT_FOUND),
    )  # fmt: skip
    assert models.list(parent=PROJECT).execute() == {}
    assert platform.platform.deployments.count() == (0, 0)


def test_a_name_is_free_again_when_its_version_is_gone(platform: Running, models: Any) -> None:
    """Versions may be deleted and made anew, from other files."""
    platform.create_version("m", "v1", platform.model("one", 2))
    platform.done(models.versions().delete(name=named("m", "v1")).execute())
    platform.create_version("m", "v1", platform.model("two", 3))
    answer = platform.ask("POST", f"{MODELS}/m:predict", {"instances": [[1, 2]]})
    assert answer == {"predictions": [{"outputs": [3.0, 6.0]}]}


def test_changes(platform: Running, models: Any) -> None:
    """What may be changed is, by an operation that is done at once; nested fields one by one."""
    platform.create_version("m", "v1", platform.model("a"), autoScaling={"minNodes": 1, "maxNodes": 5})
    platform.create_version("m", "v2", platform.model("b"))
    ended = models.versions().patch(
        name=named("m", "v1"), updateMask="description,autoScaling.minNodes",
        body={"description": "first", "autoScaling": {"minNodes": 2}},
    ).execute()  # fmt: skip
    assert ended["done"] is True
    assert ended["metadata"]["operationType"] == "UPDATE_VERSION"
    changed = models.versions().get(name=named("m", "v1")).execute()
    assert (changed["description"], changed["autoScaling"]) == ("first", {"minNodes": 2, "maxNodes": 5})
    ended = models.patch(
        name=named("m"), updateMask="description,default_version.name",
        body={"description": "all", "defaultVersion": {"name": "v2"}},
    ).execute()  # fmt: skip
    assert ended["response"]["description"] == "all"
    assert ended["response"]["defaultVersion"]["name"] == named("m", "v2")
    assert models.get(name=named("m")).execute()["defaultVersion"]["name"] == named("m", "v2")
    assert refused(models.versions().patch(name=named("m", "v1"), updateMask="deploymentUri", body={}))[1] == (
        "Field: update_mask Error: 'deploymentUri' cannot be updated; what can is autoScaling, autoScaling.maxNodes,"
        " autoScaling.metrics, autoScaling.minNodes, description, etag, labels, manualScaling, manualScaling.nodes,"
        " requestLoggingConfig."
    )
    assert refused(models.patch(name=named("m"), updateMask="defaultVersion.name", body={}))[0] == 404
    assert refused(models.patch(name=named("m"), body={}))[1] == "Field: update_mask Error: Required field is not set."


def test_a_folder_without_a_saved_model(platform: Running, models: Any) -> None:
    """Refused at once, as a failed precondition."""
    models.create(parent=PROJECT, body={"name": "m"}).execute()
    platform.put("empty/readme.txt", b"x")
    create = models.versions().create(parent=named("m"), body=version("v1", "gs://cloudml-local/empty/"))
    words = (
        "Deployment directory gs://cloudml-local/empty/ is expected to contain exactly one of: [saved_model.pb,"
        " saved_model.pbtxt]."
    )
    assert refused(create) == (
        400, f"Field: version.deployment_uri Error: {words}", details("version.deployment_uri", words),
    )  # fmt: skip
    status, _, content = platform.send(
        "POST", f"{MODELS}/m/versions", version("v1", "gs://cloudml-local/empty/")
    )  # fmt: skip
    assert (status, b'"status":"FAILED_PRECONDITION"' in content) == (400, True)
    assert models.versions().list(parent=named("m")).execute() == {}


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (version("1", "gs://b/m"), 400, "Field: version.name Error: A name should start with a letter and contain only"
         " letters, numbers and underscores."),
        (version("v", ""), 400, "Field: version.deployment_uri Error: Required field is not set."),
        (version("v", "gs://b/m", runtimeVersion=""), 400,
         "Field: version.runtime_version Error: Required field is not set."),
        (version("v", "gs://none/m"), 400, "Field: version.deployment_uri Error: The local platform has no bucket none;"
         " it reads models from its own buckets only."),
        (version("v", "gs://cloudml-local/none"), 400, "Field: version.deployment_uri Error: There is no folder"
         " gs://cloudml-local/none."),
        (version("v", "gs://b/m", framework="SCIKIT_LEARN"), 501, "The local platform serves TensorFlow's SavedModels"
         " only; it does not emulate framework SCIKIT_LEARN of a version."),
        (version("v", "gs://b/m", predictionClass="a.B"), 501, "The local platform serves TensorFlow's SavedModels"
         " only; it does not emulate custom prediction routines (predictionClass) of a version."),
        (version("v", "gs://b/m", autoScaling={"minNodes": 1}, manualScaling={"nodes": 1}), 400,
         "Field: version.manual_scaling Error: It cannot be set together with auto_scaling."),
    ],
)  # fmt: skip
def test_what_no_version_can_be_is_refused(refusing: Any, body: dict[str, Any], code: int, message: str) -> None:
    """Before anything is kept."""
    models = refusing.projects().models()
    assert refused(models.versions().create(parent=named("m"), body=body))[:2] == (code, message)
    assert models.versions().list(parent=named("m")).execute() == {}


def test_versions_of_what_is_not_there(platform: Running, models: Any) -> None:
    """A missing model is told before anything of the version; a name is taken once."""
    versions = models.versions()
    expected = (404, f"Field: name Error: {NOT_FOUND}", details("name", NOT_FOUND))
    assert refused(versions.create(parent=named("none"), body=version("v1", "gs://cloudml-local/m"))) == expected
    assert refused(versions.list(parent=named("none"))) == expected
    uri = platform.model("m")
    platform.create_version("m", "v1", uri)
    words = "A version with the same name already exists."
    assert refused(versions.create(parent=named("m"), body=version("v1", uri))) == (
        409, f"Field: version.name Error: {words}", details("version.name", words),
    )  # fmt: skip
    assert refused(versions.setDefault(name=named("m", "v2"), body={}))[1] == f"Field: name Error: {NO_VERSION}"


def test_a_version_that_cannot_be_loaded_has_failed(platform: Running, models: Any) -> None:
    """The operation and the version say why; the model has no default version, and the next one becomes it."""
    models.create(parent=PROJECT, body={"name": "m"}).execute()
    platform.put("broken/saved_model.pb", b"no model")
    begun = models.versions().create(parent=named("m"), body=version("v1", "gs://cloudml-local/broken")).execute()
    ended = platform.done(begun)
    assert ended["error"]["code"] == 9
    failed = checked("Version", models.versions().get(name=named("m", "v1")).execute())
    assert (failed["state"], failed["errorMessage"]) == ("FAILED", ended["error"]["message"])
    assert "gs://cloudml-local/broken" in failed["errorMessage"]
    assert "defaultVersion" not in models.get(name=named("m")).execute()
    unavailable = (
        "Field: name Error: Online prediction is unavailable for this version. Please verify that CreateVersion has"
        " completed successfully."
    )
    predict = service_of(platform).projects().predict(name=named("m", "v1"), body={"instances": [[1, 2]]})
    assert refused(predict)[:2] == (400, unavailable)
    assert refused(models.versions().setDefault(name=named("m", "v1"), body={}))[1] == unavailable
    assert platform.create_version("m", "v2", platform.model("good"))["isDefault"] is True
    platform.done(models.versions().delete(name=named("m", "v1")).execute())


@pytest.fixture
def restarted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A platform that was closed and began again after a version was created."""
    monkeypatch.setenv("HOME", str(tmp_path))
    places = places_in(tmp_path)
    with running(places) as before:
        before.create_version("m", "v1", before.model("export"))
    with running(places) as after:
        yield after


def test_versions_outlive_the_platform(restarted: Running) -> None:
    """What was ready is asked again without being created again."""
    assert restarted.ask("GET", f"{MODELS}/m")["defaultVersion"]["state"] == "READY"
    answer = restarted.ask("POST", f"{MODELS}/m/versions/v1:predict", {"instances": [[1, 2]]})
    assert answer == {"predictions": [{"outputs": [2.0, 4.0]}]}


def test_a_platform_that_ends_leaves_no_version_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one goes on with the operation: the version becomes ready, under the operation's own name."""
    monkeypatch.setenv("HOME", str(tmp_path))
    places = places_in(tmp_path)
    with running(places) as before:
        before.ask("POST", MODELS, {"name": "m"})
        begun = before.ask("POST", f"{MODELS}/m/versions", version("v1", before.model("export")))
    with running(places) as after:
        ended = after.done(after.ask("GET", f"/v1/{begun['name']}"))
        assert ended["response"]["state"] == "READY"
        assert after.ask("GET", f"{MODELS}/m")["defaultVersion"]["name"] == named("m", "v1")


def test_a_creation_is_cancelled(platform: Running, models: Any) -> None:
    """The operation ends with code 1, the version has failed and can be deleted."""
    models.create(parent=PROJECT, body={"name": "m"}).execute()
    # Without a fast engine TensorFlow is imported first, which takes its time.
    write_multiplier(platform.places.buckets / "cloudml-local" / "slow", 2)
    begun = models.versions().create(parent=named("m"), body=version("v1", "gs://cloudml-local/slow")).execute()
    assert refused(models.versions().delete(name=named("m", "v1")))[1] == (
        "Field: name Error: The version is being created. Wait for its operation, or cancel it."
    )
    assert service_of(platform).projects().operations().cancel(name=begun["name"]).execute() == {}
    assert platform.done(begun)["error"] == {"code": 1, "message": "The operation was cancelled."}
    failed = models.versions().get(name=named("m", "v1")).execute()
    assert (failed["state"], failed["errorMessage"]) == ("FAILED", "The operation was cancelled.")
    assert platform.done(models.versions().delete(name=named("m", "v1")).execute())["response"] == EMPTY


def test_the_two_apis_keep_their_models_apart(platform: Running) -> None:
    """A model of this API is no model and no endpoint of the other."""
    platform.create_version("m", "v1", platform.model("export"))
    for location in ("us-central1", "-"):
        assert platform.ask("GET", f"/v1/projects/local/locations/{location}/models") == {}
        assert platform.ask("GET", f"/v1/projects/local/locations/{location}/endpoints") == {}
        inner = f"/v1/projects/local/locations/{location}/models/m%2Fversions%2Fv1"
        assert platform.refused("GET", inner)["code"] == platform.refused("DELETE", inner)["code"] == 404


def test_a_project_says_where_it_is(ml: Any) -> None:
    """getConfig and the one location, with what it can do."""
    projects = ml.projects()
    configuration = checked("GetConfigResponse", projects.getConfig(name=PROJECT).execute())
    assert configuration == {
        "serviceAccount": "cloud-ml-service@local.iam.gserviceaccount.com", "serviceAccountProject": "1",
        "config": {"tpuServiceAccount": "cloud-ml-service@local.iam.gserviceaccount.com"},
    }  # fmt: skip
    location = {
        "name": f"{PROJECT}/locations/us-central1",
        "capabilities": [{"type": "TRAINING"}, {"type": "BATCH_PREDICTION"}, {"type": "ONLINE_PREDICTION"}],
    }
    assert checked("ListLocationsResponse", projects.locations().list(parent=PROJECT).execute()) == {
        "locations": [location]
    }
    assert projects.locations().get(name=location["name"]).execute() == location
    assert refused(projects.locations().get(name=f"{PROJECT}/locations/mars"))[:2] == (
        404, "Field: name Error: The specified location was not found.",
    )  # fmt: skip
    assert refused(projects.operations().get(name=f"{PROJECT}/operations/none"))[:2] == (
        404, "Field: name Error: The specified operation was not found.",
    )  # fmt: skip
