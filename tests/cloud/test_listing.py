"""The list of jobs in the cloud: also those that were sent from here to other places; a Vertex AI of several regions."""

from __future__ import annotations

from typing import Any

import pytest

from cloudml_magic import pipeline
from cloudml_magic.client import calls
from cloudml_magic.pipeline.session import CURRENT, ledger
from cloudml_magic.records import Target
from cloudml_magic.server_extension.following.cloud_jobs import CloudJobs
from tests.cloud.conftest import Cloud
from tests.cloud.test_travelling import Vertex
from tests.faults.proxy import Fault, FaultProxy

_LISTED = "aiplatform.projects.locations.customJobs.list"
_ASIA = Fault("reset", "GET", r"/asia-east1/customJobs\?", times=1000)


@pytest.fixture
def vertex(google_cloud: Cloud, home: object, monkeypatch: pytest.MonkeyPatch) -> Vertex:
    """With a job in each of three regions, all sent from here; jobs go to the last one now."""
    found = Vertex(google_cloud, monkeypatch)
    for region in ("asia-east1", "europe-west4", "us-central1"):
        CURRENT.set({"region": region})
        pipeline.train(f"'{region}'", name=f"in-{region}")
    return found


def test_what_was_sent_to_other_regions_is_listed_too(vertex: Vertex, google_cloud: Cloud) -> None:
    """Each once, and each place is asked once for the jobs that were sent there."""
    vertex.create({"locationsId": "us-central1"}, None, {**vertex.created[-1], "displayName": "from-elsewhere"})
    vertex.create({"locationsId": "asia-east1"}, None, {**vertex.created[0], "displayName": "of-somebody-else"})
    google_cloud.google.asked.clear()
    names = [job.name for job in pipeline.jobs()]
    assert sorted(names) == ["from-elsewhere", "in-asia-east1", "in-europe-west4", "in-us-central1"]
    assert google_cloud.google.methods().count(_LISTED) == 3
    assert len(google_cloud.google.asked) == 4, "and the place where jobs go now for its batch predictions"


def test_a_job_is_followed_where_it_is(vertex: Vertex) -> None:
    """Not where jobs go now."""
    (there,) = [job for job in pipeline.jobs() if job.name == "in-asia-east1"]
    assert there.wait().last_seen.resource_name == vertex.created[0]["name"]


def test_a_place_that_cannot_be_asked_costs_only_what_was_sent_there(
    vertex: Vertex, google_cloud: Cloud, shell: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others are shown, and the list says what is missing and why."""
    monkeypatch.setattr(calls, "_GIVE_UP_SECONDS", 0.1)
    with FaultProxy(google_cloud.google.port) as proxy:
        vertex.stands_at(proxy.endpoint, monkeypatch)
        proxy.script(_ASIA)
        listed = pipeline.list_jobs()
        proxy.forget()
        assert sorted(job.name for job in listed.jobs) == ["in-europe-west4", "in-us-central1"]
        (line,) = listed.lines()
        assert line.startswith("What was sent to projects/1/locations/asia-east1 is not shown. ")
        proxy.script(_ASIA)
        google_cloud.google.answer("aiplatform.projects.locations.endpoints.list", {})
        shell.run_line_magic("ml_jobs", "")
        proxy.forget()
    assert line in capsys.readouterr().out


def test_a_line_that_names_no_place_costs_only_itself(vertex: Vertex) -> None:
    """The ledger was changed by somebody else."""
    ledger().begin("t", "forged", Target.CLOUD, None, 0.0)
    ledger().complete("t", "projects/local/locations/evil.example#/customJobs/1")
    listed = pipeline.list_jobs()
    assert len(listed.jobs) == 3
    assert [error.reference for error in listed.unreached.values()] == ["ledger-unusable"]


def test_the_page_keeps_what_it_saw_of_a_place_that_cannot_be_asked_now(
    vertex: Vertex, google_cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its jobs are not taken away, and those of the others are as they are now."""
    monkeypatch.setattr(calls, "_GIVE_UP_SECONDS", 0.1)
    with FaultProxy(google_cloud.google.port) as proxy:
        vertex.stands_at(proxy.endpoint, monkeypatch)
        seen = CloudJobs()
        assert len(seen.listed((1,))) == 3
        del vertex.created[1]
        proxy.script(_ASIA)
        assert sorted(job.name for job in seen.listed((2,))) == ["in-asia-east1", "in-us-central1"]
        assert seen.trouble
        proxy.forget()
        assert len(seen.listed((3,))) == 2 and not seen.trouble


def test_jobs_on_this_machine_are_listed_alone(vertex: Vertex) -> None:
    """Who works here is not made to wait for a cloud."""
    CURRENT.set({"target": "local"})
    assert not [job for job in pipeline.jobs() if job.name.startswith("in-")]
