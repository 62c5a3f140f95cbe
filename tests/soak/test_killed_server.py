"""R5, R6: a server that is killed at any moment loses nothing that it acknowledged and spares its jobs."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudml_magic.places import PlatformPlaces
from tests.long_counts import count, within
from tests.soak.living import LivePlatform

Start = Callable[..., LivePlatform]
_JOB = "import sys, time; open({mark!r}, 'a').write('ran\\n'); time.sleep({seconds}); sys.exit({code})"


def _ended_as(code: int) -> str:
    return "JOB_STATE_FAILED" if code else "JOB_STATE_SUCCEEDED"


def test_jobs_are_adopted_and_end_as_they_should(living: Start, tmp_path: Path) -> None:
    """R6: killed in mid-job; within five seconds after the restart (or the job's own end) each status is right."""
    platform, chance = living(), random.Random(1)
    for number in range(count(50, 5)):
        codes, ids, marks = (0, 3), [], []
        seconds = chance.uniform(0.05, 0.8)
        for index, code in enumerate(codes):
            marks.append(tmp_path / f"{number}-{index}")
            ids.append(platform.create("python3", "-c", _JOB.format(mark=str(marks[-1]), seconds=seconds, code=code)))
        for id in ids:
            platform.wait(id, "JOB_STATE_RUNNING", "JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED")
        time.sleep(chance.uniform(0, 0.6))
        platform.kill()
        time.sleep(chance.choice([0, 0, 0.5]))
        platform.start()
        for id, code, mark in zip(ids, codes, marks, strict=True):
            job = platform.wait(id, seconds=seconds + 5)
            assert job["state"] == _ended_as(code), job
            assert not code or "status of 3" in job["error"]["message"]
            assert mark.read_text() == "ran\n"
        platform.no_process_is_left()


@pytest.mark.parametrize("moment", ["PREPARING", "any"])
def test_a_kill_before_the_job_runs_neither_loses_nor_doubles_it(living: Start, tmp_path: Path, moment: str) -> None:
    """Killed between creation, PREPARING and RUNNING: the job is started once, by this server or by the next."""
    platform, chance = living(), random.Random(2)
    found_preparing = 0
    tries = count(50, 6)
    for number in range(10 * tries):
        if number >= tries and (moment == "any" or found_preparing):
            break
        mark = tmp_path / f"{moment}-{number}"
        id = platform.create("python3", "-c", _JOB.format(mark=str(mark), seconds=0, code=0))
        if moment == "any":
            time.sleep(chance.uniform(0, 0.08))
        platform.kill()
        found_preparing += platform.stored_state(id).endswith("PREPARING")
        began = time.monotonic()
        platform.start()
        assert time.monotonic() - began < within(2)
        job = platform.wait(id, seconds=15)
        assert job["state"] == "JOB_STATE_SUCCEEDED", job
        assert mark.read_text() == "ran\n"
        platform.no_process_is_left()
    assert moment == "any" or found_preparing, "no kill hit the moment that this test is about"


def test_what_was_acknowledged_is_there_after_any_kill(living: Start) -> None:
    """R5: puts and job creations until the kill; every acknowledged one is there, the start takes two seconds at most."""
    platform, chance = living(1), random.Random(3)
    first = platform.create("sleep", "100000")
    platform.wait(first, "JOB_STATE_RUNNING")
    objects: dict[str, bytes] = {}
    jobs: set[str] = {first}
    slowest = 0.0

    def put(round: int) -> None:
        for number in range(10_000):
            name, content = f"{round}/{number % 5}", f"{round}-{number} ".encode() * chance.randrange(1, 2000)
            doubtful.append(name)
            platform.ask("POST", f"/upload/storage/v1/b/cloudml-local/o?uploadType=media&name={name}", content)
            objects[name] = content
            doubtful.remove(name)

    def create(round: int) -> None:
        for number in range(5):
            jobs.add(platform.create("true", token=f"{round}-{number}"))

    def until_killed(work: Callable[[int], None], round: int) -> None:
        try:
            work(round)
        except (OSError, http.client.HTTPException):
            return

    for round in range(count(500, 20)):
        doubtful: list[str] = []
        threads = [threading.Thread(target=until_killed, args=(work, round)) for work in (put, create)]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.01, 0.2))
        platform.kill()
        for thread in threads:
            thread.join()
        for name in doubtful:
            # Not acknowledged, so both its states are right.
            objects.pop(name, None)
        began = time.monotonic()
        platform.start()
        slowest = max(slowest, time.monotonic() - began)
    print(f"{len(objects)} objects, {len(jobs)} jobs, slowest start {slowest:.2f} s")
    assert slowest < within(2)
    assert jobs <= {job["name"].rpartition("/")[2] for job in platform.jobs()}
    root = PlatformPlaces.of_this_user().buckets / "cloudml-local"
    for name, content in objects.items():
        stored = platform.ask("GET", f"/storage/v1/b/cloudml-local/o/{name.replace('/', '%2F')}")
        assert stored["size"] == str(len(content))
        assert (root / name).read_bytes() == content
    assert platform.job(first)["state"] == "JOB_STATE_RUNNING"
