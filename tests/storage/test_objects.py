"""What goes wrong with a bucket is told in one message."""

import pytest
from google.api_core.exceptions import GatewayTimeout, GoogleAPICallError
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
