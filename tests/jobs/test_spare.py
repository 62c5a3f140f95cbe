"""The warm spare: takes the next plain job as that job, and never lives longer than it should."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudml_magic.local_platform.jobs.environment import suits_spare
from cloudml_magic.local_platform.settings import PlatformSettings
from cloudml_magic.states import JobState
from tests.long_counts import within

from .conftest import Bench, container
from .test_runner import alive

pytestmark = pytest.mark.slow

LOOK = (
    "import json, os, sys; print(json.dumps(['keras' in sys.modules, sys.argv, os.getcwd(), os.environ['CLOUD_ML_JOB_ID'],"
    " os.environ.get('MINE'), sys.modules['__main__'].__name__, 'CLOUDML_SPARE' in os.environ, sys.path[0]]))"
)


@pytest.fixture
def warm(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A platform with a spare; JAX is the backend, which is imported quickest."""
    bench.runner.close()
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    bench.settings = PlatformSettings(cpu_jobs=2, spare=True, spare_idle_seconds=600)
    bench.runner = bench.new_runner()
    bench.runner.start()
    yield bench


def spares(bench: Bench) -> list[int]:
    marker = f"HOME={os.environ['HOME']}"
    found = []
    for pid in alive("spare_child.py"):
        try:
            if marker.encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(pid)
        except OSError:
            continue
    return found


def test_a_plain_job_runs_in_the_spare_as_itself(warm: Bench) -> None:
    """Keras is there already; arguments, folder, environment and log are the job's; the next job has the next spare."""
    for number in range(2):
        job = warm.run(container("python3", "-c", LOOK, "--n", env={"MINE": str(number), "KERAS_BACKEND": "jax"}))
        assert job.state is JobState.SUCCEEDED, job.error
        told = json.loads(warm.log(job.id).splitlines()[-1])
        assert told == [
            True,
            ["-c", "--n"],
            str(warm.replica(job.id) / "work"),
            job.id,
            str(number),
            "__main__",
            False,
            "",
        ]


def test_an_error_in_the_spare_looks_as_anywhere(warm: Bench) -> None:
    """Exit code and traceback, without the spare's own frames."""
    job = warm.run(container("python3", "-c", "import sys\nassert 'keras' in sys.modules\n1 / 0"))
    assert job.error is not None
    assert job.error[1].endswith(
        'Traceback (most recent call last):\n  File "<string>", line 3, in <module>\nZeroDivisionError: division by zero'
    )


def test_what_must_be_set_before_the_import_starts_cold(warm: Bench) -> None:
    """Another backend or a variable that frameworks read when they are imported."""
    job = warm.run(container("python3", "-c", LOOK, env={"XLA_FLAGS": "", "TF_CPP_MIN_LOG_LEVEL": "3"}))
    assert json.loads(warm.log(job.id).splitlines()[-1])[0] is False


def test_a_job_in_the_spare_is_cancelled_like_any_other(warm: Bench) -> None:
    """Nothing of it is left, not even the spare that it ran in."""
    id = warm.submit(container("python3", "-c", "import time; print('up'); time.sleep(60)"))
    warm.wait_for_log(id, "up")
    began = time.monotonic()
    warm.runner.cancel(id)
    assert warm.wait(id).state is JobState.CANCELLED
    assert time.monotonic() - began < within(5)


def test_a_spare_that_died_costs_nothing_but_its_warmth(warm: Bench) -> None:
    """The job starts cold."""
    deadline = time.monotonic() + 30
    while not spares(warm) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in spares(warm):
        os.kill(pid, 9)
    job = warm.run(container("python3", "-c", "print('ran')"))
    assert job.state is JobState.SUCCEEDED
    assert warm.log(job.id).splitlines()[-1] == "ran"


def test_the_spare_goes_when_idle_and_with_the_platform(warm: Bench) -> None:
    """No process stays behind."""
    deadline = time.monotonic() + 30
    while not spares(warm) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert spares(warm)
    warm.runner._spare._idle_seconds = 0
    warm.runner._spare.end_if_idle()
    assert not spares(warm)
    warm.runner._spare.refill()
    warm.runner.close()
    assert not spares(warm)


@pytest.mark.parametrize(
    ("variables", "suits"),
    [
        ([], True),
        ([("MINE", "1"), ("KERAS_BACKEND", "jax")], True),
        ([("KERAS_BACKEND", "torch")], False),
        ([("TF_X", "1")], False),
        ([("PYTHONHASHSEED", "0")], False),
        ([("OMP_NUM_THREADS", "1")], False),
        ([("OMP_NUM_THREADS", "4")], True),
    ],
)
def test_which_variables_a_spare_may_take(variables: list[tuple[str, str]], suits: bool) -> None:
    """Those that nobody reads while importing, and those that it was started with."""
    assert suits_spare(variables, {"OMP_NUM_THREADS": "4"}, "jax") is suits
