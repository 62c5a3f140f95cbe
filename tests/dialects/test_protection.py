"""As whom and under which key: said in every request that makes something, and in no other."""

from __future__ import annotations

import pytest

from cloudml_magic.dialects import aiplatform_v1
from cloudml_magic.dialects.aiplatform_v1 import batch, endpoints, models
from cloudml_magic.dialects.call import Call
from cloudml_magic.dialects.protection import protected
from cloudml_magic.discovery import document, violations
from cloudml_magic.records import BatchSpec, DeploymentSpec, JobSpec, Machine, ModelVersion, Protection, VersionSpec

ACCOUNT, KEY = "jobs@p.iam.gserviceaccount.com", "projects/p/locations/r/keyRings/k/cryptoKeys/c"
SPEC = JobSpec("n", "t", "gs://b/p.tar.gz", "0" * 64, "m", "gs://b/j", "tensorflow/tensorflow:2.21.0", ("python3",))
BATCH = BatchSpec("n", "t", "projects/p/locations/r/models/1@1", "jsonl", ("gs://b/i",), "gs://b/o")
VERSION = ModelVersion("m", "m", "1", "gs://b/m", "tensorflow/serving:2.21.0", 0.0)
DEPLOYMENT = DeploymentSpec(VERSION, "1", Machine(), (1, 1), {})
MAKING = [
    (aiplatform_v1.create_job(SPEC, "p", "r"), True, True),
    (batch.create_batch_job(BATCH, "p", "r"), True, True),
    (models.upload_model(VersionSpec("m", "gs://b/m", "tensorflow/serving:2.21.0"), "p", "r"), True, True),
    (endpoints.create_endpoint("m", "p", "r", {}), False, True),
    (endpoints.deploy_model("projects/p/locations/r/endpoints/1", DEPLOYMENT), True, False),
]


@pytest.mark.parametrize(("call", "has_account", "has_key"), MAKING, ids=lambda value: getattr(value, "method", ""))
def test_what_is_made_acts_as_the_account_and_lies_under_the_key(call: Call, has_account: bool, has_key: bool) -> None:
    """Wherever Google's documents have a place for them."""
    sent = protected(call, Protection(ACCOUNT, KEY))
    assert (ACCOUNT in str(sent.body), KEY in str(sent.body)) == (has_account, has_key)
    api = document("aiplatform.v1")
    request = api.methods[call.method].request
    assert request is not None
    assert violations(api, request, sent.body) == []


@pytest.mark.parametrize(
    "call", [*(call for call, _, _ in MAKING), models.get_model("projects/p/locations/r/models/1")]
)
def test_without_them_nothing_is_added(call: Call) -> None:
    """The place's own choice is no field."""
    assert protected(call, Protection()) == call


def test_what_only_asks_is_sent_as_it_is() -> None:
    """Nothing is made by it."""
    call = models.get_model("projects/p/locations/r/models/1")
    assert protected(call, Protection(ACCOUNT, KEY)) is call
