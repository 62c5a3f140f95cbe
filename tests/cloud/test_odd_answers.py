"""What answers in Google's place, or not at all: sign-in pages of networks, damaged bodies, a sign-in that is over."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic import pipeline
from cloudml_magic.client import calls
from cloudml_magic.client.google_credentials import GoogleCredentials
from cloudml_magic.connection import cloud
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline import session
from tests.cloud.conftest import Cloud

ODD = {
    "the sign-in page of a network": b"<html>Welcome to the hotel</html>",
    "a list": b"[1, 2]",
    "nothing": b"null",
    "bytes": b"\xff\xfe",
    "a deep pit": b"[" * 100_000,
    "fields of other types": b'{"customJobs": [{"name": 3, "state": {}}], "name": 3, "state": {}, "createTime": [1]}',
    "a list that is none": b'{"customJobs": 7}',
}


class _Odd(BaseHTTPRequestHandler):
    body = b""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(params=ODD)
def odd(request: Any, google_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Something else answers where Vertex AI should."""
    monkeypatch.setattr(_Odd, "body", ODD[request.param])
    monkeypatch.setattr(calls, "_GIVE_UP_SECONDS", 0.2)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Odd)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM", f"http://127.0.0.1:{server.server_address[1]}")
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("ask", [pipeline.jobs, lambda: pipeline.train("1", name="odd")])
def test_an_answer_that_is_not_googles_is_said_so(odd: None, ask: Any) -> None:
    """Not with a traceback; and no job is believed to be there."""
    with pytest.raises(CloudMLError) as caught:
        ask()
    said = str(caught.value)
    assert said.startswith("The answer is none that Google's API gives.\n  Why:  ")
    assert said.endswith(
        "Something else may answer in its place, such as the sign-in page of a network;"
        " open a web page and look.\n[answer-unreadable]"
    )
    assert len(said) < 900


def change_key(**fields: str) -> None:
    """Writes the key file of the service account anew."""
    file = Path(os.environ["GOOGLE_APPLICATION_CREDENTIALS"])
    file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))


@pytest.fixture
def signed_out(google_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> str:
    """The sign-in that was found is over; the address where a new one is accepted."""
    good = f"{google_cloud.google.endpoint}/token"
    change_key(token_uri=f"{google_cloud.google.endpoint}/over")
    monkeypatch.setattr(cloud, "_CREDENTIALS", GoogleCredentials())
    session._connection.cache_clear()
    return good


def test_who_signs_in_anew_goes_on_in_the_same_kernel(signed_out: str) -> None:
    """A training names the way, and finds what was signed in with meanwhile."""
    with pytest.raises(CloudMLError) as caught:
        pipeline.train("1 + 1", name="signed")
    assert caught.value.reference == "credentials-expired"
    assert "`gcloud auth application-default login`" in caught.value.next
    assert next(pipeline.check_cloud()).is_fatal
    change_key(token_uri=signed_out)
    assert not next(pipeline.check_cloud()).is_fatal
    assert pipeline.train("1 + 1", name="signed").wait().state == "SUCCEEDED"


def test_without_a_network_the_sign_in_is_not_blamed(google_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to sign in again because a cable is out."""
    change_key(token_uri="http://127.0.0.1:9/token")
    monkeypatch.setattr(cloud, "_CREDENTIALS", GoogleCredentials())
    finding = next(pipeline.check_cloud())
    assert (finding.state, finding.fix) == (
        "Google cannot be reached to look at them",
        "look at this machine's network; nothing is wrong with your sign-in",
    )
