"""Machines that may be taken away: a job whose process is killed from outside begins again, as it would on Vertex AI."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.local_platform.jobs.restarts import begins_again
from cloudml_magic.states import JobState

from .conftest import Bench, container

# Counts itself, says who it is, for it may be killed from then on, and ends well once it has been started often enough.
SCRIPT = (
    'echo x >> "$AIP_CHECKPOINT_DIR/runs"; echo "run $$"; [ $(wc -l < "$AIP_CHECKPOINT_DIR/runs") -ge %d ] || sleep 60'
)
KILLED = {"cause": "exited", "signal": int(signal.SIGKILL), "code": None, "memory_kills": 0}


def spot(script: str, **scheduling: Any) -> dict[str, Any]:
    body = container("sh", "-c", script)
    body["jobSpec"]["scheduling"] = {"strategy": "SPOT", **scheduling}
    return body


def kill(bench: Bench, id: str, run: int, number: signal.Signals) -> None:
    """The preemption: the process of this run is killed from outside."""
    deadline = time.monotonic() + 60
    while len(pids := [line.split()[1] for line in bench.log(id).splitlines() if line.startswith("run ")]) < run:
        assert time.monotonic() < deadline, bench.log(id)
        time.sleep(0.01)
    os.kill(int(pids[run - 1]), number)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_job_on_a_spot_machine_begins_again(bench: Bench, number: signal.Signals) -> None:
    """It stays RUNNING, finds what it wrote, and its log goes on and says so."""
    id = bench.submit(spot(SCRIPT % 3))
    bench.wait(id, JobState.RUNNING)
    kill(bench, id, 1, number)
    kill(bench, id, 2, number)
    job = bench.wait(id)
    assert job.state is JobState.SUCCEEDED, bench.log(id)
    assert bench.store.passed[id] == [JobState.QUEUED, JobState.PREPARING, JobState.RUNNING, JobState.SUCCEEDED]
    notes = [line for line in bench.log(id).splitlines() if "begins again" in line]
    assert notes == [f"The machine was taken away; the job begins again ({n} of 6)." for n in (1, 2)]
    assert (bench.buckets / "bucket/jobs/one/checkpoints/runs").read_text() == "x\n" * 3


def test_a_cancelled_job_does_not_begin_again(bench: Bench) -> None:
    """The platform's own signals are no preemption."""
    id = bench.submit(spot(SCRIPT % 9))
    bench.wait(id, JobState.RUNNING)
    bench.wait_for_log(id, "run ")
    bench.runner.cancel(id)
    assert bench.wait(id).state is JobState.CANCELLED
    assert bench.log(id).count("run ") == 1


def test_a_job_that_fails_by_itself_does_not_begin_again(bench: Bench) -> None:
    """An error would come again."""
    job = bench.run(spot("echo run; exit 1"))
    assert job.state is JobState.FAILED and bench.log(job.id).count("run") == 1


@pytest.mark.parametrize(
    ("scheduling", "ended", "expected"),
    [
        ({"strategy": "SPOT"}, KILLED, True),
        ({"strategy": "FLEX_START"}, KILLED, True),
        ({"strategy": "SPOT", "disableRetries": True}, KILLED, False),
        ({"strategy": "STANDARD"}, KILLED, False),
        ({}, KILLED, False),
        ({"strategy": "SPOT"}, KILLED | {"memory_kills": 1}, False),
        ({"strategy": "SPOT"}, KILLED | {"cause": "timeout"}, False),
        ({"strategy": "SPOT"}, None, False),
    ],
)
def test_only_a_preemption_is_one(
    tmp_path: Path, scheduling: dict[str, Any], ended: dict[str, Any] | None, expected: bool
) -> None:
    """Not running out of memory or time, and only where the job asked for such a machine."""
    assert begins_again({"jobSpec": {"scheduling": scheduling}}, tmp_path, ended) is expected


def test_after_six_restarts_it_is_enough(tmp_path: Path) -> None:
    """As on Vertex AI."""
    body = {"jobSpec": {"scheduling": {"strategy": "SPOT"}}}
    assert [begins_again(body, tmp_path, KILLED) for _ in range(8)] == [True] * 6 + [False] * 2
