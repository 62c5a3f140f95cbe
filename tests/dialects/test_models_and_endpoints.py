"""Models, endpoints and operations: records to Vertex AI's calls and back."""

from __future__ import annotations

import pytest

from cloudml_magic.dialects.aiplatform_v1 import endpoints, models, operations
from cloudml_magic.discovery import document, normalise
from cloudml_magic.records import Accelerator, DeployedVersion, DeploymentSpec, Machine, ModelVersion, VersionSpec

MODEL = "projects/1/locations/us-central1/models/42"
ENDPOINT = "projects/1/locations/us-central1/endpoints/7"
VERSION = ModelVersion(f"{MODEL}@2", "census", "2", "gs://b/m", "tensorflow/serving:2.21.0", 0.0)


def test_a_new_version_is_this_request() -> None:
    """Its parent, its folder, its image with the routes of TensorFlow Serving, and its aliases."""
    spec = VersionSpec(
        "census", "gs://b/models/census/1", "tensorflow/serving:2.21.0",
        parent_model=MODEL, aliases=("candidate",), labels={"cloudml-model": "census"},
    )  # fmt: skip
    call = models.upload_model(spec, "p", "us-central1")
    assert call.method == "aiplatform.projects.locations.models.upload"
    assert call.parameters == {"parent": "projects/p/locations/us-central1"}
    assert call.body == {
        "parentModel": MODEL,
        "model": {
            "displayName": "census",
            "artifactUri": "gs://b/models/census/1",
            "containerSpec": {
                "imageUri": "tensorflow/serving:2.21.0",
                "ports": [{"containerPort": 8501}],
                "predictRoute": "/v1/models/model:predict",
                "healthRoute": "/v1/models/model",
            },
            "labels": {"cloudml-model": "census"},
            "versionAliases": ["candidate"],
        },
    }


def test_the_newcomer_is_called_0_in_a_deployment() -> None:
    """Its id is the caller's own, so that a lost answer can be looked for."""
    machine = Machine(None, Accelerator("T4", 1))
    call = endpoints.deploy_model(ENDPOINT, DeploymentSpec(VERSION, "123", machine, (1, 3), {"9": 80, "123": 20}))
    assert call.body is not None
    assert call.body["trafficSplit"] == {"9": 80, "0": 20}
    assert call.body["deployedModel"]["id"] == "123"
    assert call.body["deployedModel"]["dedicatedResources"] == {
        "machineSpec": {"machineType": "n1-standard-8", "acceleratorType": "NVIDIA_TESLA_T4", "acceleratorCount": 1},
        "minReplicaCount": 1,
        "maxReplicaCount": 3,
    }


@pytest.mark.parametrize(
    "call",
    [
        models.upload_model(VersionSpec("m", "gs://b/m", "tensorflow/serving:2.21.0"), "p", "r"),
        models.merge_aliases(f"{MODEL}@2", ("default",)),
        endpoints.create_endpoint("m", "p", "r", {"a": "b"}),
        endpoints.deploy_model(ENDPOINT, DeploymentSpec(VERSION, "1", Machine(), (1, 1), {"1": 100})),
        endpoints.undeploy_model(ENDPOINT, "1", {"2": 100}),
        endpoints.split_traffic(ENDPOINT, {"1": 100}),
    ],
    ids=lambda call: call.method.rpartition(".")[2],
)
def test_every_body_is_one_that_google_knows(call: object) -> None:
    """Checked against Google's own schema: no field that it does not have."""
    api = document("aiplatform.v1")
    method = api.methods[call.method]  # type: ignore[attr-defined]
    assert normalise(api, method.request, call.body)  # type: ignore[attr-defined,arg-type]


SERVED = "us-central1-docker.pkg.dev/p/cloudml-docker-hub/tensorflow/serving:2.21.0"


def test_a_numbered_folder_is_served_as_tensorflow_serving_has_it() -> None:
    """The artifact is the folder that holds it, the container is told so, and reading gives the model's own folder."""
    body = models.upload_model(VersionSpec("m", "gs://b/m/1", SERVED, numbered=True), "p", "r").body
    assert body is not None
    assert body["model"]["artifactUri"] == "gs://b/m"
    assert body["model"]["containerSpec"] == {
        "imageUri": SERVED,
        "command": ["/usr/bin/tensorflow_model_server"],
        "args": [
            "--model_name=model",
            "--model_base_path=$(AIP_STORAGE_URI)",
            "--rest_api_port=8501",
            "--port=8500",
            "--file_system_poll_wait_seconds=31540000",
        ],
        "ports": [{"containerPort": 8501}],
        "predictRoute": "/v1/models/model:predict",
        "healthRoute": "/v1/models/model",
    }
    assert models.read_model({**body["model"], "name": MODEL}).artifact_uri == "gs://b/m/1"


def test_a_version_is_read_with_its_number_in_its_name() -> None:
    """Google leaves it out where the version is the default one."""
    read = models.read_model(
        {
            "name": MODEL,
            "displayName": "census",
            "versionId": "2",
            "versionAliases": ["default", "candidate"],
            "artifactUri": "gs://b/m",
            "containerSpec": {"imageUri": "i"},
            "createTime": "2026-01-02T03:04:05Z",
            "versionCreateTime": "2026-01-02T03:04:06Z",
        }
    )
    assert (read.resource_name, read.model_resource, read.title) == (f"{MODEL}@2", MODEL, "census/2")
    assert read.created == 1767323046.0
    assert read.aliases == ("default", "candidate")


def test_an_endpoint_is_read_with_what_it_holds() -> None:
    """Each version with its share of the traffic; a share that is not named is none."""
    read = endpoints.read_endpoint(
        {
            "name": ENDPOINT,
            "displayName": "census",
            "trafficSplit": {"1": 100},
            "deployedModels": [
                {
                    "id": "1", "model": f"{MODEL}@2", "createTime": "2026-01-02T03:04:05Z",
                    "status": {"message": "onnxruntime"},
                    "dedicatedResources": {"machineSpec": {"machineType": "n1-standard-4"}, "minReplicaCount": 2, "maxReplicaCount": 3},
                },
                {"id": "2", "model": MODEL, "modelVersionId": "3"},
            ],
        }
    )  # fmt: skip
    first, second = read.deployed
    assert first == DeployedVersion("1", MODEL, "2", 100, 1767323045.0, Machine("n1-standard-4"), 2, 3, "onnxruntime")
    assert (second.model_resource, second.version, second.traffic) == (MODEL, "3", 0)


def test_an_operation_says_its_stage_and_its_end() -> None:
    """In words that a card can show."""
    name = f"{ENDPOINT}/operations/5"
    under_way = operations.read_operation({"name": name, "metadata": {"deploymentStage": "STARTING_MODEL_SERVER"}})
    assert (under_way.done, under_way.stage) == (False, "loading the model")
    failed = operations.read_operation({"name": name, "done": True, "error": {"code": 9, "message": "No."}})
    assert (failed.done, failed.error, failed.error_code) == (True, "No.", 9)
    assert operations.get_operation(name).parameters == {"name": "projects/1/locations/us-central1/operations/5"}


def test_a_question_names_the_version_only_where_one_is_asked_for() -> None:
    """By a header, for Vertex AI's own request has no place for it."""
    call = endpoints.predict(ENDPOINT, [[1.0]], "7")
    assert call.method == "aiplatform.projects.locations.endpoints.predict"
    assert call.content == b'{"instances": [[1.0]]}'
    assert call.headers == {"content-type": "application/json", "x-cloudml-deployed-model": "7"}
    raw = endpoints.raw_predict(ENDPOINT, b"PK", "application/x-npz", {"signature_name": "tensors"})
    assert (raw.content, raw.headers, raw.query) == (
        b"PK", {"content-type": "application/x-npz"}, {"signature_name": "tensors"},
    )  # fmt: skip


def test_raw_answers_carry_who_answered_in_headers() -> None:
    """As the platform and Vertex AI send them."""
    answer = endpoints.read_raw_answer(
        b'{"predictions": [[0.5]]}',
        {"x-vertex-ai-deployed-model-id": "1", "x-vertex-ai-model": f"{MODEL}@2", "x-vertex-ai-model-version-id": "2"},
    )
    assert (answer.predictions, answer.deployed_id, answer.model_resource, answer.version) == (
        ([0.5],),
        "1",
        MODEL,
        "2",
    )
