"""Vertex's own SDK serves models from the platform, unmodified but for its address and credentials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.interoperation.sessions import rewriting

from .conftest import IMAGE, Serving

pytestmark = pytest.mark.slow


@pytest.fixture
def vertex(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from google.cloud import aiplatform
    from google.oauth2.credentials import Credentials

    from tests.local_platform.conftest import TOKEN

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", serving.endpoint)
    aiplatform.init(
        project="p", location="us-central1", staging_bucket="gs://cloudml-local", api_endpoint=serving.endpoint,
        api_transport="rest", credentials=Credentials(token=TOKEN),
    )  # fmt: skip
    yield aiplatform
    aiplatform.initializer.global_config._project = None


def test_the_vertex_sdk_serves_a_model(vertex: Any, serving: Serving) -> None:
    """Model.upload, Endpoint.create, deploy, predict, raw_predict, a second version with its share, undeploy, delete."""
    model = vertex.Model.upload(
        display_name="sums", artifact_uri=serving.put("sums"), serving_container_image_uri=IMAGE, labels={"a": "b"}
    )
    assert (model.display_name, model.version_id, model.version_aliases) == ("sums", "1", ["default"])
    endpoint = vertex.Endpoint.create(display_name="sums")
    model.deploy(endpoint=endpoint, machine_type="n1-standard-2", deployed_model_display_name="first")
    answer = endpoint.predict(instances=[[1, 2], [3, 4]])
    assert answer.predictions == [[3.0], [7.0]]
    assert (answer.model_version_id, answer.model_resource_name) == ("1", model.resource_name)
    deployed = endpoint.list_models()
    assert [(each.id, each.display_name) for each in deployed] == [(answer.deployed_model_id, "first")]
    assert deployed[0].dedicated_resources.machine_spec.machine_type == "n1-standard-2"
    endpoint.authorized_session = rewriting(serving.endpoint)
    raw = endpoint.raw_predict(b'{"instances": [[5, 6]]}', {"Content-Type": "application/json"})
    assert (raw.status_code, raw.json()) == (200, {"predictions": [[11.0]]})
    assert raw.headers["X-Vertex-AI-Deployed-Model-Id"] == answer.deployed_model_id
    wrapped = endpoint.predict(instances=[[1, 1]], use_raw_predict=True)
    assert (wrapped.predictions, wrapped.model_version_id) == ([[2.0]], "1")
    second = vertex.Model.upload(
        parent_model=model.resource_name, artifact_uri=serving.put("twice", 2), display_name="sums",
        serving_container_image_uri=IMAGE, is_default_version=False, version_aliases=["twice"],
    )  # fmt: skip
    second.deploy(endpoint=endpoint, machine_type="n1-standard-2", traffic_percentage=30)
    assert sorted(endpoint.traffic_split.values()) == [30, 70]
    endpoint.undeploy(answer.deployed_model_id)
    assert endpoint.predict(instances=[[1, 2]]).predictions == [[6.0]]
    assert [each.display_name for each in vertex.Endpoint.list(filter='display_name="sums"')] == ["sums"]
    endpoint.undeploy_all()
    assert endpoint.list_models() == []
    endpoint.delete()
    model.delete()
    assert vertex.Model.list() == vertex.Endpoint.list() == []


def test_the_vertex_sdk_manages_versions(vertex: Any, serving: Serving) -> None:
    """The model registry lists versions, moves aliases, updates and deletes."""
    uri = serving.put("sums")
    model = vertex.Model.upload(
        display_name="sums", artifact_uri=uri, serving_container_image_uri=IMAGE, model_id="sums"
    )
    vertex.Model.upload(
        parent_model="sums", artifact_uri=uri, serving_container_image_uri=IMAGE, display_name="sums",
        is_default_version=True, version_aliases=["golden"],
    )  # fmt: skip
    registry = model.versioning_registry
    found = {each.version_id: set(each.version_aliases) for each in registry.list_versions()}
    assert found == {"1": set(), "2": {"default", "golden"}}
    assert vertex.Model("sums@golden").version_id == vertex.Model("sums").version_id == "2"
    registry.add_version_aliases(["first"], version="1")
    registry.remove_version_aliases(["golden"], version="2")
    assert registry.get_version_info("first").version_id == "1"
    renamed = vertex.Model("sums").update(display_name="totals", labels={"c": "d"})
    assert (renamed.display_name, dict(renamed.labels)) == ("totals", {"c": "d"})
    registry.delete_version("1")
    assert [each.version_id for each in registry.list_versions()] == ["2"]
    vertex.Model("sums").delete()


def test_the_vertex_sdk_understands_refusals(vertex: Any, serving: Serving) -> None:
    """Its exceptions are those that Google's answers would raise."""
    from google.api_core import exceptions

    (serving.places.buckets / "cloudml-local" / "empty").mkdir()
    with pytest.raises(exceptions.GoogleAPICallError, match="expected to contain exactly one of"):
        vertex.Model.upload(
            display_name="x", artifact_uri="gs://cloudml-local/empty", serving_container_image_uri=IMAGE
        )
    with pytest.raises(exceptions.NotFound):
        vertex.Model("none").version_id  # noqa: B018
    endpoint = vertex.Endpoint.create(display_name="empty")
    with pytest.raises(exceptions.GoogleAPICallError, match="no deployed model"):
        endpoint.predict(instances=[[1, 2]])
    model = vertex.Model.upload(
        display_name="sums", artifact_uri=serving.put("sums"), serving_container_image_uri=IMAGE
    )
    model.deploy(endpoint=endpoint, machine_type="n1-standard-2")
    with pytest.raises(exceptions.GoogleAPICallError, match="takes"):
        endpoint.predict(instances=[[1, 2, 3]])
    with pytest.raises(exceptions.GoogleAPICallError, match="is deployed or being deployed"):
        model.delete()
    endpoint.delete(force=True)
