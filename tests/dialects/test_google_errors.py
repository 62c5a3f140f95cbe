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
