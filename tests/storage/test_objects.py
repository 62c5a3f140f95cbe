"""What goes wrong with a bucket is told in one message."""

import pytest
from google.api_core.exceptions import GatewayTimeout, GoogleAPICallError, NotFound
from google.cloud import storage

from cloudml_magic.errors import CloudMLError
from cloudml_magic.storage import Address, ObjectStorage


class _FullError(GoogleAPICallError):
    code = 507


@pytest.mark.parametrize(
    ("problem", "why"),
    [
        (
            _FullError('POST http://h/upload: {"error":{"code":507,"message":"The disk is full."}}: failed'),
            "The disk is full.",
        ),
        (_FullError('POST http://h/upload: {"error":{"code":507,"message":"The disk is full."}}'), "The disk is full."),
        (_FullError("{not json"), "{not json"),
        (GatewayTimeout("upstream"), "upstream"),
    ],
)
def test_the_server_is_quoted_in_words(problem: GoogleAPICallError, why: str) -> None:
    """Uploads of google-cloud-storage fail with an address and a JSON text; of these only the message is shown."""

    def client() -> storage.Client:
        raise problem

    with pytest.raises(CloudMLError) as caught:
        ObjectStorage(client).read(Address("b") / "x")
    assert caught.value.reference == "bucket-failed"
    assert caught.value.why == why


def test_a_bucket_that_does_not_exist_is_said_so() -> None:
    """By its name, not by the address of a request."""

    def client() -> storage.Client:
        raise NotFound("GET http://127.0.0.1:1/storage/v1/b/none/o: The specified bucket does not exist.")

    with pytest.raises(CloudMLError) as caught:
        ObjectStorage(client).names(Address("none") / "x")
    assert str(caught.value) == (
        "There is no bucket gs://none.\n"
        "  Why:  The address names it, but it does not exist where you are connected to, or not for you.\n"
        "  Next: Check the bucket's name; `cloudml doctor` shows where you are connected to.\n"
        "[no-bucket]"
    )
