"""Every answer of the platform, for every method that it serves, is one that Google's document allows.

The layer that `tests/conftest.py` lays over all tests does the same for whatever they happen to ask; here nothing is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from cloudml_magic.local_platform.wire import Request, Response
from tests.batch.platform import Running, running
from tests.local_platform.conftest import places_in

from .layer import Wire, watched
from .tour import JOBS, OPERATIONS, ask_for_everything

APIS = ("aiplatform", "ml", "logging", "storage")
# Its only answer is a refusal: no model here has an explanation_spec.
ELSEWHERE = {("POST", "/v1/projects/{projectsId}/locations/{locationsId}/endpoints/{endpointsId}:explain")}
UPLOAD_PATH = "/upload/storage/v1/b/{bucket}/o"


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Wire]]:
    """A platform, after everything that it serves has been asked once."""
    with watched() as wire, running(places_in(tmp_path_factory.mktemp("tour"))) as platform:
        ask_for_everything(platform)
        yield platform, wire


def test_no_answer_is_other_than_google_s_documents_say(tour: tuple[Running, Wire]) -> None:
    """Successes, refusals, and the messages that operations carry."""
    assert tour[1].wrong == []


@pytest.mark.parametrize("api", APIS)
def test_no_method_is_left_out(tour: tuple[Running, Wire], api: str) -> None:
    """Whatever the platform serves has answered; a new method needs a step of the tour."""
    platform, wire = tour
    served = {(verb, path) for verb, path in platform.platform.served() if api_of_path(path) == api}
    answered = {(verb, UPLOAD_PATH if path.startswith("/upload/") else path) for verb, path in wire.answered}
    assert served
    assert served - answered == (ELSEWHERE if api == "aiplatform" else set())


def api_of_path(path: str) -> str:
    """Whose a served path is; the platform's own routes have no document."""
    if path.startswith("/cloudml/"):
        return "ours"
    if path.startswith("/v1/"):
        return "aiplatform" if "/locations/" in path else "ml"
    return "logging" if path.startswith("/v2/") else "storage"


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (Response(200, {"content-type": "application/json"}, b'{"customJobs": [{"state": "ASLEEP"}]}'), "ASLEEP"),
        (Response(200, {"content-type": "application/json"}, b'{"jobs": []}'), 'Unknown name "jobs"'),
        (Response(404, {"content-type": "application/json"}, b'{"message": "no"}'), "no error of Google's"),
        (Response(404, {"content-type": "application/json"}, b'{"error": {"code": 4, "message": "m", "status": "S"}}'),
         "its code is 4"),
    ],
)  # fmt: skip
def test_a_wrong_answer_would_be_noticed(answer: Response, wrong: str) -> None:
    """The layer itself, with one fault each."""
    wire = Wire()
    wire.note_answer(Request("GET", JOBS, "", {}), answer)
    assert len(wire.wrong) == 1
    assert wrong in wire.wrong[0]


def test_a_message_in_an_operation_is_looked_at_too() -> None:
    """By the type that it says it is."""
    body = {
        "name": "projects/1/locations/us-central1/operations/5",
        "response": {
            "@type": "type.googleapis.com/google.cloud.aiplatform.v1.UploadModelResponse",
            "model": "m",
            "version": "1",
        },
    }
    wire = Wire()
    content = json.dumps(body).encode()
    wire.note_answer(
        Request("GET", f"{OPERATIONS}/5", "", {}), Response(200, {"content-type": "application/json"}, content)
    )
    assert wire.wrong == [
        'aiplatform.projects.locations.operations.get: UploadModelResponse.: Unknown name "version": Cannot find field.'
    ]
