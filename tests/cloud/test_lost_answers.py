"""A submission whose answer was lost is looked for where it was sent, whatever is set when somebody looks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from cloudml_magic import pipeline
from cloudml_magic.client import calls
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.session import CURRENT, ledger
from cloudml_magic.records import Target
from cloudml_magic.states import JobState
from tests.cloud.conftest import Cloud
from tests.cloud.google import RefusalError
from tests.cloud.test_travelling import Vertex
from tests.faults.proxy import Fault, FaultProxy

SUBMIT = {"aiplatform-v1": ("POST", r"/customJobs(\?|$)"), "ml-v1": ("POST", r"/jobs(\?|$)")}
LIST = ("GET", r"/(customJobs|jobs)\?")
HOURS_AGO = 7200.0


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, home: object) -> None:
    """Patience ends at once, and every test has a ledger of its own."""
    monkeypatch.setattr(calls, "_GIVE_UP_SECONDS", 0.1)


def send_without_answer(google_cloud: Cloud, dialect: str, name: str) -> None:
    """The job arrives; neither its answer does, nor that of any look for it."""
    google_cloud.proxy.script(Fault("lost_reply", *SUBMIT[dialect]), Fault("reset", *LIST, times=1000))
    with pytest.raises(CloudMLError) as caught:
        pipeline.train("print('ran')", name=name)
    google_cloud.proxy.forget()
    assert caught.value.reference == "platform-unreachable"


@pytest.mark.parametrize("dialect", SUBMIT)
@pytest.mark.parametrize(
    "later",
    [{"region": "europe-west4"}, {"project": "another"}, {"dialect": "other"}, {"region": "asia-east1", "bucket": "b"}],
    ids=lambda later: "+".join(later),
)
def test_it_is_found_after_other_settings(google_cloud: Cloud, later: Mapping[str, str], dialect: str) -> None:
    """Project, region and API are those of the submission."""
    CURRENT.set({"dialect": dialect})
    send_without_answer(google_cloud, dialect, "lost")
    (sent,) = ledger().named("lost")
    other = next(name for name in SUBMIT if name != dialect)
    CURRENT.set({name: other if value == "other" else value for name, value in later.items()})
    found = pipeline.job("lost")
    assert found.last_seen.labels["cloudml-token"] == sent.token
    assert [(line.resource_name, line.parent) for line in ledger().latest()] == [(found.last_seen.resource_name, None)]


def test_a_place_that_cannot_be_asked_forgets_nothing(google_cloud: Cloud) -> None:
    """However long ago it was sent: it may run there, and the next look finds it."""
    send_without_answer(google_cloud, "aiplatform-v1", "far")
    (sent,) = ledger().named("far")
    ledger().move(sent.token, sent.parent or "", time.time() - HOURS_AGO)
    google_cloud.proxy.script(Fault("reset", *LIST, times=1000))
    with pytest.raises(CloudMLError) as caught:
        pipeline.job("far")
    google_cloud.proxy.forget()
    assert caught.value.reference == "platform-unreachable"
    assert pipeline.job("far").name == "far"


def test_what_never_arrived_where_it_was_sent_is_forgotten_after_an_hour(google_cloud: Cloud) -> None:
    """Not before: a request may be on its way for long."""
    parent = "projects/local/locations/us-central1"
    ledger().begin("0" * 16, "young", Target.CLOUD, parent, time.time())
    ledger().begin("1" * 16, "old", Target.CLOUD, parent, time.time() - HOURS_AGO)
    for name in ("young", "old"):
        with pytest.raises(CloudMLError, match="There is no job"):
            pipeline.job(name)
    assert [line.name for line in ledger().latest()] == ["young"]


def test_a_line_that_does_not_say_where_it_was_sent_is_kept(google_cloud: Cloud) -> None:
    """It was written by an earlier version, and its job may be elsewhere than where jobs go now."""
    ledger().begin("0" * 16, "earlier", Target.CLOUD, None, time.time() - HOURS_AGO)
    with pytest.raises(CloudMLError, match="There is no job 'earlier'"):
        pipeline.job("earlier")
    assert [line.name for line in ledger().latest()] == ["earlier"]


def test_a_job_that_moves_is_noted_before_it_is_sent(google_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that dies in mid-move leaves a line that says where to look."""
    noted: list[str | None] = []

    class Watched(Vertex):
        def create(self, path: Mapping[str, str], query: object, body: Mapping[str, Any]) -> Mapping[str, Any]:
            noted.extend(line.parent for line in ledger().named("moving"))
            return super().create(path, query, body)

    Watched(google_cloud, monkeypatch, "us-central1", "us-east1")
    pipeline.train("1 + 1", name="moving", gpu="T4", regions="us-central1,us-east1,europe-west4").wait()
    assert noted == [f"projects/local/locations/{region}" for region in ("us-central1", "us-east1", "europe-west4")]


def test_a_move_whose_kernel_died_is_found_or_undone(google_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it was to go there is its job, or after an hour it is what it was."""
    vertex = Vertex(google_cloud, monkeypatch)
    job = pipeline.train("1 + 1", name="moving", gpu="T4")
    (line,) = ledger().named("moving")
    ledger().move(line.token, "projects/local/locations/us-east1", time.time())
    moved = vertex.create({"locationsId": "us-east1"}, None, vertex.created[0])
    assert pipeline.job("moving").last_seen.resource_name == moved["name"]
    ledger().move(line.token, "projects/local/locations/europe-west4", time.time() - HOURS_AGO)
    assert pipeline.job("moving").last_seen.resource_name == moved["name"]
    assert [(each.resource_name, each.parent) for each in ledger().named("moving")] == [(moved["name"], None)]
    assert job.last_seen.resource_name != moved["name"]


def test_a_move_whose_answer_was_lost_goes_no_further(google_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may run where it was sent last: that region is asked before another gets it."""
    vertex = Vertex(google_cloud, monkeypatch, "us-central1")
    lost = Fault("lost_reply", "POST", r"/us-east1/customJobs(\?|$)")
    cut_off = Fault("reset", "GET", r"/us-east1/customJobs\?", times=1000)
    with FaultProxy(google_cloud.google.port) as proxy:
        vertex.stands_at(proxy.endpoint, monkeypatch)
        job = pipeline.train("1 + 1", name="moving", gpu="T4", regions="us-central1,us-east1,europe-west4")
        proxy.script(lost, cut_off)
        assert job.state is JobState.FAILED
        proxy.forget()
        assert [line.parent for line in ledger().named("moving")] == ["projects/local/locations/us-east1"]
        assert job.wait().last_seen.resource_name == vertex.created[-1]["name"]
    assert [made["name"].split("/")[3] for made in vertex.created] == ["us-central1", "us-east1"]
    assert [line.parent for line in ledger().named("moving")] == [None]


def test_a_move_that_is_refused_leaves_the_job_what_it_was(
    google_cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody looks for it where it was not taken."""
    vertex = Vertex(google_cloud, monkeypatch, "us-central1")
    job = pipeline.train("1 + 1", name="moving", gpu="T4", regions="us-central1,us-east1")

    def refuse(*_: object) -> Mapping[str, Any]:
        raise RefusalError(403, "Not allowed there.", "PERMISSION_DENIED")

    google_cloud.google.answer("aiplatform.projects.locations.customJobs.create", refuse)
    assert job.state is JobState.FAILED
    (line,) = ledger().named("moving")
    assert (line.resource_name, line.parent) == (vertex.created[0]["name"], None)
