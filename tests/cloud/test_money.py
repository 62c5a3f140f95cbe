"""Money in the cloud: prices of today or of the table, the most that a job may cost, and what the card says."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from typing import Any

import pytest

from cloudml_magic import pipeline
from cloudml_magic.cards.job import JOB_MIME, JobView, bundle
from cloudml_magic.dialects.machines import read_machine
from cloudml_magic.errors import CloudMLError
from cloudml_magic.history import ExecutedCell
from cloudml_magic.notebook.dry_run import show_dry_run
from cloudml_magic.pipeline import costs, prices, session
from cloudml_magic.pipeline.options import TrainOptions
from cloudml_magic.pipeline.origin import read_origin
from cloudml_magic.pipeline.prepare import Preparation
from cloudml_magic.pipeline.progress import JobProgress
from cloudml_magic.records import DeployedVersion, Endpoint, Price
from cloudml_magic.states import JobState
from tests.cloud.conftest import Cloud
from tests.dialects.test_cloud_billing_v1 import sku

NOW = 1_790_000_000.0
LIST = "cloudbilling.services.skus.list"
TODAYS = [
    sku("Vertex AI: Training/Pipelines on N1 Predefined Instance Core running in Americas", ("0", 40_000_000)),
    sku("Vertex AI: Training/Pipelines on N1 Predefined Instance Ram running in Americas", ("0", 5_000_000), unit="GiBy.h"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_kept(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a cache of its own, and asks anew."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(prices, "_LAST_ATTEMPT", {})


def prepared(**options: object) -> Preparation:
    return pipeline.prepare_here(ExecutedCell("1 + 1"), "digits", TrainOptions.of(options))


def test_todays_price_is_googles_own_and_is_asked_for_once_a_day(google_cloud: Cloud) -> None:
    """The list comes in pages; another kernel finds what this one fetched."""
    google_cloud.google.answer(
        LIST,
        lambda path, query, body: {"skus": TODAYS[1:]} if "pageToken" in query else {"skus": TODAYS[:1], "nextPageToken": "2"},
    )  # fmt: skip
    first, second = prepared().terms.price, prepared(machine="n1-standard-8").terms.price
    assert first is not None and second is not None
    assert first.per_hour == pytest.approx(4 * 0.04 + 15 * 0.005)
    assert second.per_hour == pytest.approx(2 * first.per_hour)
    assert first.source.startswith("price list of 20")
    assert google_cloud.google.methods().count(LIST) == 2


def test_without_googles_list_the_table_of_the_package_speaks_and_says_so(google_cloud: Cloud) -> None:
    """The API may not be enabled, or not allowed: no error, another source, and no second attempt right away."""
    assert prepared().terms.price == Price(pytest.approx(0.2185, abs=1e-4), "USD", "table of 2026-07-30")
    assert prepared(spot=True).terms.price == Price(pytest.approx(0.0955, abs=1e-4), "USD", "table of 2026-07-30")


def test_a_dry_run_shows_what_an_hour_costs_and_the_most_that_the_job_can(
    google_cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """Asked for the cloud; on this machine nothing costs anything."""
    show_dry_run(prepared(gpu="T4", timeout="2h"))
    shown = capsys.readouterr().out
    assert "About $0.84 an hour (table of 2026-07-30); at most $1.68 in 2 h 0 min." in shown
    show_dry_run(prepared(gpu="T4", target="local"))
    assert "an hour" not in capsys.readouterr().out


def test_the_most_that_a_job_may_cost_becomes_its_timeout(google_cloud: Cloud) -> None:
    """The platform stops it, whether anybody watches or not."""
    preparation = prepared(gpu="T4", max_cost="1")
    assert preparation.call.body is not None
    assert preparation.call.body["jobSpec"]["scheduling"] == {
        "timeout": f"{int(3600 / preparation.terms.price.per_hour)}s"
    }  # type: ignore[union-attr]
    with pytest.raises(CloudMLError, match="8 × B200 · a4-highgpu-8g costs here is not known"):
        prepared(gpu="B200:8", max_cost=5)


def test_a_flexible_start_waits_its_turn_and_is_priced_by_its_limit(google_cloud: Cloud) -> None:
    """Only for GPUs that are short; the price is the most that it can be."""
    preparation = prepared(gpu="L4", flex_start=True, max_wait="2h", timeout="1d")
    assert preparation.call.body is not None
    assert preparation.call.body["jobSpec"]["scheduling"] == {
        "timeout": "86400s",
        "strategy": "FLEX_START",
        "restartJobOnWorkerRestart": True,
        "maxWaitDuration": "7200s",
    }
    assert preparation.terms.price is not None and preparation.terms.price.is_limit


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (
            {"gpu": "T4", "flex_start": True},
            "T4 has no flexible start.\n"
            "  Why:  Vertex AI queues jobs only for GPUs that are in short supply.\n"
            "  Next: Leave --flex-start out, or say --gpu with one of L4, A100, A100-80, H100, H100-MEGA, H200, B200.\n"
            "[no-flexible-start]",
        ),
        (
            {"gpu": "L4", "flex_start": True, "spot": True},
            "--spot and --flex-start exclude each other.\n  Next: Leave one of them out.\n[bad-option]",
        ),
        (
            {"gpu": "L4", "max_wait": "2h"},
            "--max-wait says how long --flex-start may wait.\n  Next: Add --flex-start, or leave it out.\n[bad-option]",
        ),
        (
            {"gpu": "L4", "flex_start": True, "timeout": "8d"},
            "A job with --flex-start runs for seven days at most.\n  Next: Lower --timeout, such as 7d.\n[bad-option]",
        ),
    ],
)
def test_a_flexible_start_that_there_is_not_is_refused(
    google_cloud: Cloud, options: dict[str, object], error: str
) -> None:
    """Before anything is sent."""
    with pytest.raises(CloudMLError) as caught:
        prepared(**options)
    assert str(caught.value) == error


def test_a_jobs_price_is_remembered_and_its_card_says_what_it_has_cost(google_cloud: Cloud) -> None:
    """Later views need no price list: the job's folder knows what an hour of it was to cost."""
    job = pipeline.train("1 + 1", name="cheap")
    progress = JobProgress()
    for event in job.watch():
        progress.apply(event)
    price = job.origin.price
    assert price == Price(pytest.approx(0.2185, abs=1e-4), "USD", "table of 2026-07-30")
    assert progress.started is not None
    progress.ended = progress.started + 1800
    shown = bundle(JobView.of(job.snapshot(), progress, progress.ended, job.origin))
    assert shown[JOB_MIME]["cost"] == {"amount": 0.11, "per_hour": price.per_hour, "currency": "USD"}  # type: ignore[union-attr]
    assert "30 min 0 s · $0.11" in shown["text/plain"]
    assert "30 min 0 s · $0.11" in shown["text/html"]
    running = replace(job.snapshot(), state=JobState.RUNNING, ended=None)
    progress.state, progress.ended = JobState.RUNNING, None
    shown = bundle(JobView.of(running, progress, progress.started + 3600, job.origin))
    assert "$0.22 so far" in shown["text/plain"]


def test_a_forged_price_is_none(google_cloud: Cloud) -> None:
    """Whoever may write into the bucket writes no words and no endless numbers into a card."""
    job = pipeline.train("1 + 1", name="forged")
    job.wait()
    for forged in ({"per_hour": float("nan"), "currency": "USD", "source": ""}, {"per_hour": 1, "currency": "<b>"}, 5):
        job._connection.storage.write(job.folder / "manifest.json", json.dumps({"price": forged}).encode())
        assert read_origin(job.folder, job._connection.storage).price is None


def test_the_list_of_jobs_sums_what_ran_and_says_what_costs_now(google_cloud: Cloud) -> None:
    """Deployed versions come first: nothing ends them but their user."""
    for gpu in (None, "T4", "H200:8"):
        pipeline.train("1 + 1", name="summed", gpu=gpu).wait()
    endless = pipeline.train("import time\ntime.sleep(600)", name="endless")
    for event in endless.watch():
        if event.fields.get("state") == "RUNNING":
            break
    there = session.connection()
    jobs = [replace(job.snapshot(), started=NOW, ended=NOW + 3600) for job in pipeline.jobs() if job.name == "summed"]
    spent = costs.spending([*jobs, replace(endless.snapshot(), started=NOW)], there)
    assert spent is not None
    assert (spent.jobs, spent.unpriced) == (4, 1)
    title, *lines = spent.lines()
    assert re.fullmatch(r"4 jobs have cost about \$[0-9,]+\.[0-9]{2}, without 1 of unknown price\.", title)
    assert lines[0] == "What runs now costs about $0.22 an hour:"
    assert re.fullmatch(r"  job endless, which has run for .+: \$0\.22 an hour", lines[1])
    endless.cancel()
    assert costs.spending(jobs[:1], there).lines()[1] == "Nothing costs anything now."  # type: ignore[union-attr]


def test_the_magic_sums_up_beneath_its_list_where_anything_costs(
    shell: Any, google_cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the cloud, and not on this machine."""
    shell.run_line_magic("ml_jobs", "")
    assert re.search(r"ha(s|ve) cost .+\.\n.+ costs? .+", capsys.readouterr().out)
    session.CURRENT.set({"target": "local"})
    shell.run_line_magic("ml_jobs", "")
    assert "cost" not in capsys.readouterr().out


def test_a_version_without_traffic_is_named_before_the_others(google_cloud: Cloud) -> None:
    """With what it costs and how to end that; a machine of unknown price is said so."""
    endpoints = [
        Endpoint("e/1", "census", NOW, (version("1", 100, "n1-standard-2", replicas=3), version("2", 0, "a4-highgpu-8g"))),
    ]  # fmt: skip
    running = costs._deployed(endpoints, session.connection())
    since = time.strftime("%d %b %H:%M", time.localtime(NOW))
    assert costs.Spending(0, 0.0, 0, "USD", tuple(running)).lines() == [
        "No job has cost anything.",
        "What runs now costs about $0.33 an hour:",
        f"  census/2 on 8 × B200 · a4-highgpu-8g, deployed since {since} and without traffic (`%ml_undeploy census/2`):"
        " its price is not known",
        f"  census/1 on 3 machines (n1-standard-2), deployed since {since} (`%ml_undeploy census/1`): $0.33 an hour",
    ]


def test_on_this_machine_nothing_is_summed(google_cloud: Cloud) -> None:
    """Jobs here cost nothing."""
    assert costs.spending([], session.connection("local")) is None


def version(number: str, traffic: int, machine: str, replicas: int = 1) -> DeployedVersion:
    return DeployedVersion(
        number, "m/1", number, traffic, NOW, read_machine({"machineType": machine}), min_replicas=replicas
    )
