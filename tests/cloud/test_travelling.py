"""A job that finds nothing free in a region goes on to the next: a Vertex AI that is told what to answer, real clients."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from cloudml_magic import pipeline
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline import session
from cloudml_magic.pipeline.session import ledger
from cloudml_magic.pipeline.travelling_job import TravellingJob
from cloudml_magic.states import JobState
from tests.cloud.conftest import Cloud

_JOBS = "aiplatform.projects.locations.customJobs"
NOTHING_FREE = "Resources are insufficient in region: {}. Try a different region or use a different accelerator."
REGIONS = "us-central1,us-east1,europe-west4"


class Vertex:
    """Keeps jobs by region; in some of them no machine is free."""

    def __init__(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, *without: str) -> None:
        self.created: list[dict[str, Any]] = []
        self._without = without
        self._numbers = itertools.count(1)
        self.stands_at(cloud.google.endpoint, monkeypatch)
        cloud.google.answer(f"{_JOBS}.create", self.create)
        cloud.google.answer(f"{_JOBS}.get", self._get)
        cloud.google.answer(f"{_JOBS}.list", self._list)
        cloud.google.answer("aiplatform.projects.locations.batchPredictionJobs.list", {})

    def stands_at(self, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where clients find it from now on."""
        monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM", f"{endpoint}/")
        session._connection.cache_clear()

    def create(self, path: Mapping[str, str], query: object, body: Mapping[str, Any]) -> Mapping[str, Any]:
        region = path["locationsId"]
        name = f"projects/1/locations/{region}/customJobs/{next(self._numbers)}"
        job = {**body, "name": name, "state": "JOB_STATE_PENDING", "createTime": "2026-01-02T03:04:05Z"}
        self.created.append(job)
        return job

    def _get(self, path: Mapping[str, str], query: object, body: object) -> Mapping[str, Any]:
        return self._ended(next(job for job in self.created if job["name"].endswith(f"/{path['customJobsId']}")))

    def _list(self, path: Mapping[str, str], query: Mapping[str, list[str]], body: object) -> Mapping[str, Any]:
        where, filter = f"/locations/{path['locationsId']}/", query.get("filter", [""])[0]
        return {
            "customJobs": [
                self._ended(job)
                for job in self.created
                if where in job["name"] and (not filter or f'"{job["labels"]["cloudml-token"]}"' in filter)
            ]
        }

    def _ended(self, job: dict[str, Any]) -> dict[str, Any]:
        region = job["name"].split("/")[3]
        if region in self._without:
            error = {"code": 8, "message": NOTHING_FREE.format(region)}
            return {**job, "state": "JOB_STATE_FAILED", "error": error, "endTime": "2026-01-02T03:05:05Z"}
        return {
            **job,
            "state": "JOB_STATE_SUCCEEDED",
            "startTime": "2026-01-02T03:04:30Z",
            "endTime": "2026-01-02T03:05:05Z",
        }


def test_a_job_goes_on_until_it_finds_a_machine(google_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same submission under the same token; whoever watches sees one job that never failed."""
    vertex = Vertex(google_cloud, monkeypatch, "us-central1", "us-east1")
    job = pipeline.train("1 + 1", name="moving", gpu="T4", regions=REGIONS)
    states = [event.fields for event in job.watch() if event.kind == "state"]
    assert "FAILED" not in {state["state"] for state in states}
    assert states[-1]["state"] == "SUCCEEDED"
    assert [state["note"] for state in states if "Nothing was free" in str(state.get("note"))] == [
        "Nothing was free in us-central1; sent to us-east1.",
        "Nothing was free in us-east1; sent to europe-west4.",
    ]
    assert [made["name"].split("/")[3] for made in vertex.created] == REGIONS.split(",")
    first, *others = ({key: made[key] for key in ("displayName", "labels", "jobSpec")} for made in vertex.created)
    assert all(other == first for other in others)
    assert [line.resource_name for line in ledger().named("moving")] == [vertex.created[-1]["name"]]


def test_several_who_watch_move_it_once(google_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card, a wait and a question at the same time are one move; never are there two jobs that may run."""
    vertex = Vertex(google_cloud, monkeypatch, "us-central1", "us-east1")
    job = pipeline.train("1 + 1", name="watched", gpu="T4", regions=REGIONS)
    watchers = [threading.Thread(target=job.wait) for _ in range(4)]
    for watcher in watchers:
        watcher.start()
    for watcher in watchers:
        watcher.join(60)
    assert job.state is JobState.SUCCEEDED
    assert len(vertex.created) == 3


def test_where_nothing_is_free_anywhere_it_has_failed_with_advice(
    google_cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the last region that it tried."""
    Vertex(google_cloud, monkeypatch, *REGIONS.split(","))
    job = pipeline.train("1 + 1", name="nowhere", gpu="T4", regions=REGIONS)
    with pytest.raises(CloudMLError) as caught:
        job.wait()
    assert str(caught.value) == (
        "Job nowhere failed.\n"
        f"  Why:  {NOTHING_FREE.format('europe-west4')}\n"
        "  Next: T4 is also in europe-central2, europe-west1, europe-west2, europe-west3:"
        " --regions europe-west4,europe-central2,europe-west1,europe-west2,europe-west3 tries them in order.\n"
        "[job-failed]"
    )


def test_without_other_regions_a_job_stays_where_it_is(google_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody sends it anywhere unasked."""
    vertex = Vertex(google_cloud, monkeypatch, "us-central1")
    job = pipeline.train("1 + 1", name="staying", gpu="T4")
    assert not isinstance(job, TravellingJob)
    assert job.state is JobState.FAILED and len(vertex.created) == 1
