"""What the platform refuses is told as what the user did, and what to do next."""

from __future__ import annotations

import json

import pytest

from cloudml_magic.dialects.call import Call
from cloudml_magic.dialects.google_errors import explain


@pytest.mark.parametrize("verb", ["predict", "rawPredict"])
@pytest.mark.parametrize(
    "message",
    ["The endpoint has no deployed model that gets traffic.", "The endpoint has no deployed model. Deploy one first."],
)
def test_a_model_that_was_taken_off_meanwhile_is_to_be_deployed(verb: str, message: str) -> None:
    """There is nothing in the question to mend."""
    content = json.dumps({"error": {"message": message}}).encode()
    assert str(explain(Call(f"aiplatform.projects.locations.endpoints.{verb}", {}), 400, content)) == (
        "The model gave no prediction.\n"
        f"  Why:  {message}\n"
        "  Next: `%ml_deploy` deploys it; `%ml_models` shows which versions are deployed and what traffic they get.\n"
        "[not-deployed]"
    )


def test_other_refusals_are_mended_in_the_question() -> None:
    """The message says what."""
    refused = explain(
        Call("aiplatform.projects.locations.endpoints.predict", {}), 400, b'{"error": {"message": "No."}}'
    )
    assert refused.reference == "request-refused"
    assert refused.next == "Mend what the message names and run the cell again."


def explained(method: str, status: int, message: str) -> str:
    return str(explain(Call(method, {}), status, json.dumps({"error": {"message": message}}).encode()))


def test_an_api_that_is_not_enabled_is_named_with_the_way_to_enable_it() -> None:
    """Google's own sentence stays, with its address."""
    said = "Cloud Logging API has not been used in project 7 before or it is disabled. Enable it by visiting https://x."
    assert explained("logging.entries.list", 403, said) == (
        "The project has not enabled Cloud Logging.\n"
        f"  Why:  {said}\n"
        "  Next: `%ml_init --setup` enables what is needed; it takes a minute or two to count.\n"
        "[api-disabled]"
    )


def test_the_old_api_that_is_gone_becomes_advice() -> None:
    """Since 2025 it answers every write so."""
    said = "Cloud AI Platform has been deprecated. Please use Vertex AI (https://cloud.google.com/vertex-ai) instead."
    assert explained("ml.projects.models.create", 400, said) == (
        "Google has shut down the API that this was sent to.\n"
        f"  Why:  {said}\n"
        "  Next: Say `%ml_init --dialect aiplatform-v1`: the same cell goes to Vertex AI."
        " The local platform still speaks the old API.\n"
        "[old-api-gone]"
    )


def test_apis_beside_jobs_and_models_are_called_by_their_names() -> None:
    """No job was refused there."""
    assert explained("serviceusage.services.batchGet", 403, "No.") == (
        "Service Usage refused what was asked (HTTP 403).\n"
        "  Why:  No.\n"
        "  Next: `%ml_init` says which right or API is missing, and the command that mends it.\n"
        "[permission-denied]"
    )
    assert explained("serviceusage.services.batchGet", 500, "Internal error.") == (
        "Service Usage refused what was asked (HTTP 500).\n"
        "  Why:  Internal error.\n"
        "  Next: Mend what the message names; where it names nothing of yours, try again later.\n"
        "[platform-failed]"
    )
