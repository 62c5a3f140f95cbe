"""What others may have written: a ledger that was changed, addresses that lead elsewhere."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from cloudml_magic import job
from cloudml_magic.client.hosts import host
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.session import ledger
from cloudml_magic.places import ledger_file
from cloudml_magic.records import Target
from tests.cloud.conftest import Cloud

FORGED = [
    "projects/local/locations/evil.example#/customJobs/1",
    "projects/local/locations/us-central1/customJobs/1/../../secrets/1",
    "projects/local?x=/locations/us-central1/customJobs/1",
    "https://evil.example/projects/local/jobs/a",
    "jobs",
]


@pytest.fixture
def change(google_cloud: Cloud, home: object) -> Callable[[str, str], None]:
    """Writes a line into the ledger, past the product."""
    ledger().latest()

    def write(target: str, resource_name: str) -> None:
        with closing(sqlite3.connect(ledger_file())) as connection, connection:
            connection.execute(
                "INSERT INTO submissions (token, name, target, resource_name, time) VALUES (?, ?, ?, ?, ?)",
                ("t", "forged", target, resource_name, 0.0),
            )

    return write


@pytest.mark.parametrize("target", ["local", "cloud"])
@pytest.mark.parametrize("name", FORGED)
def test_a_job_that_google_would_not_name_so_is_not_asked_for(
    change: Callable[[str, str], None], google_cloud: Cloud, name: str, target: str
) -> None:
    """Else credentials would go where the name leads."""
    change(target, name)
    with pytest.raises(CloudMLError) as caught:
        job("forged")
    assert str(caught.value) == (
        f"The ledger names a job as Google names none: {name!r}.\n"
        "  Why:  Its file was damaged, or changed by somebody else.\n"
        "  Next: Nothing was asked there. Move the file away: the jobs stay, and `%ml_jobs` lists them.\n"
        "[ledger-unusable]"
    )
    assert google_cloud.proxy.requests == []


@pytest.mark.parametrize("parent", ["projects/local/locations/evil.example#", "projects/../x", "evil.example"])
def test_a_place_that_google_would_not_name_so_is_not_asked(
    change: Callable[[str, str], None], google_cloud: Cloud, parent: str
) -> None:
    """A lost answer is looked for where Google is, and nowhere else."""
    ledger().begin("p", "sent", Target.CLOUD, parent, 0.0)
    with pytest.raises(CloudMLError) as caught:
        job("sent")
    assert caught.value.what == f"The ledger names a place as Google names none: {parent!r}."
    assert google_cloud.proxy.requests == []


def test_a_target_that_there_is_not_is_said(change: Callable[[str, str], None]) -> None:
    """Not as a traceback."""
    change("moon", "projects/local/locations/us-central1/customJobs/1")
    with pytest.raises(CloudMLError, match="'moon' is not a valid Target"):
        job("forged")


@pytest.mark.parametrize("region", ["evil.example#", "evil.example/", "a@b", "", "us central1"])
def test_no_region_leads_away_from_google(region: str) -> None:
    """An address is made of names, and of nothing that ends its host."""
    with pytest.raises(CloudMLError, match="is no region"):
        host("aiplatform", region, {})
