"""Training in the cloud: the same calls with Google's credentials, followed by asking."""

from __future__ import annotations

import time
from typing import Any

import pytest

from cloudml_magic import pipeline
from cloudml_magic.pipeline.session import CURRENT, ledger
from cloudml_magic.records import Target
from cloudml_magic.states import JobState
from tests.cloud.conftest import Cloud
from tests.faults.proxy import Fault


def test_a_cell_trains_and_is_followed_to_its_end(google_cloud: Cloud) -> None:
    """States, reports and output come by asking, in the order in which they were, each once."""
    job = pipeline.train(
        "from cloudml_magic import report\nfor n in range(5):\n    report(n, loss=1 / (n + 1))\n", name="steps"
    )
    events = list(job.watch())
    assert job.target is Target.CLOUD
    assert [event.fields["step"] for event in events if event.kind == "metric"] == list(range(5))
    printed = [event.fields["text"] for event in events if event.kind == "log"]
    assert [line for line in printed if line.startswith("step")] == [
        f"step {n} · loss {1 / (n + 1):.4g}" for n in range(5)
    ]
    assert (events[-1].kind, events[-1].fields["state"]) == ("state", "SUCCEEDED")
    assert job.state is JobState.SUCCEEDED
    assert ledger().latest()[0].target is Target.CLOUD
    assert pipeline.job("steps").id == job.id


def test_a_notebook_of_2017_trains_in_the_cloud(google_cloud: Cloud, shell: Any) -> None:
    """Marked cells, cells that ran here, and the one that is sent: in that order, each once."""
    del CURRENT._session["target"]
    CURRENT.set({"requires": ""})
    cells = (
        "%%ml_code\ndef double(x):\n    return 2 * x",
        "%%ml_run\nvalue = double(20)",
        "%%ml_run cloud\nprint('value', value + 2)",
    )
    results = [shell.run_cell(cell, store_history=True) for cell in cells]
    job = results[-1].result
    job.wait()
    assert job.target is Target.CLOUD
    assert "value 42" in job.logs()


def test_each_look_at_states_counts_every_call_that_it_makes(google_cloud: Cloud) -> None:
    """One for one job; for several one for each kind, and one for each that has ended meanwhile."""
    ended = [pipeline.train("print(1)", name=f"quick{number}").wait() for number in range(2)]
    running = pipeline.train("import time; time.sleep(60)", name="slow")
    questions = running._connection.client._watch._ask  # type: ignore[attr-defined]
    for jobs, calls in (([running], 1), ([*ended, running], 3), (ended, 3)):
        spent: list[None] = []
        before = len(google_cloud.proxy.requests)
        found = questions.states([job.last_seen for job in jobs], lambda: spent.append(None))  # noqa: B023
        assert {job.last_seen.resource_name for job in jobs} <= set(found)
        assert (1 + len(spent), len(google_cloud.proxy.requests) - before) == (calls, calls)
    running.cancel()


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_is_a_day_off_changes_nothing(
    google_cloud: Cloud, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """Times are the cloud's own: one job, every report and every line once, and no time below zero."""
    true_time = time.time
    monkeypatch.setattr("time.time", lambda: true_time() + days * 86400)
    google_cloud.proxy.script(Fault("lost_reply", "POST", r"/customJobs(\?|$)"))
    job = pipeline.train("from cloudml_magic import report\nfor n in range(3): report(n, a=n)", name=f"clock{days + 1}")
    events = list(job.watch())
    assert [event.fields["step"] for event in events if event.kind == "metric"] == [0, 1, 2]
    assert len([event for event in events if event.kind == "log"]) == 3
    ended = job.snapshot()
    assert ended.started is not None and ended.ended is not None
    assert ended.created <= ended.started <= ended.ended
    assert [found.id for found in pipeline.jobs() if found.name == job.name] == [job.id]
