"""What Google takes its time for, and what comes of it when it takes too long."""

from __future__ import annotations

import pytest

from cloudml_magic.client import long_operations
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline import session
from cloudml_magic.pipeline.session import connection
from tests.cloud.conftest import Cloud

UNDER_WAY = {"name": "projects/1/locations/us-central1/operations/5"}


@pytest.fixture(autouse=True)
def vertex(google_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint is always just being made."""
    google_cloud.google.answer("aiplatform.projects.locations.endpoints.create", UNDER_WAY)
    google_cloud.google.answer("aiplatform.projects.locations.operations.get", UNDER_WAY)
    monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM", f"{google_cloud.google.endpoint}/")
    session._connection.cache_clear()


def test_an_operation_that_never_ends_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that waits for nothing says so, and what may still come."""
    monkeypatch.setattr(long_operations, "_LONGEST_OPERATION", 0.2)
    with pytest.raises(CloudMLError) as caught:
        connection().client.models.create_endpoint("live", {})
    assert str(caught.value) == (
        "The platform has not done what was asked.\n"
        "  Why:  It has been at it for 0 s.\n"
        "  Next: It may still do it: `%ml_models` shows what there is. If nothing comes, run the cell again.\n"
        "[operation-unfinished]"
    )


def test_one_that_ends_in_time_is_what_was_asked_for(google_cloud: Cloud) -> None:
    """Each look is further from the one before it."""
    name = "projects/1/locations/us-central1/endpoints/7"
    looks = iter([UNDER_WAY, UNDER_WAY, {**UNDER_WAY, "done": True, "response": {"name": name}}])
    google_cloud.google.answer("aiplatform.projects.locations.operations.get", lambda *_: next(looks))
    google_cloud.google.answer("aiplatform.projects.locations.endpoints.get", {"name": name, "displayName": "live"})
    assert connection().client.models.create_endpoint("live", {}).resource_name == name
    assert list(looks) == []
