"""From an event's line in the bucket to the client, and what it costs to watch twenty jobs."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row, own_home

_CODE = """
import time
from cloudml_magic import report
for number in range(60):
    report(number, sent=time.time())
    time.sleep(0.25)
"""
_QUIET = "import time\ntime.sleep(600)"


def rows() -> Iterator[Row]:
    from cloudml_magic import train

    with own_home():
        lags = []
        job = train(_CODE, name="lag")
        for event in job.watch(log_tail=0):
            if event.kind == "metric":
                lags.append(time.time() - event.time)
        # The first events are read from the file's past; the later ones come as they are written.
        yield Row("event written to client, median", statistics.median(lags[10:]) * 1000, "ms", 10)
        yield Row("watching 20 jobs, share of one core: kernel and platform", _watching() * 100, "%", 2)


def _watching() -> float:
    from cloudml_magic import train
    from cloudml_magic.local_platform import lifecycle

    jobs = [train(_QUIET, name=f"quiet-{number}") for number in range(20)]
    for job in jobs:
        threading.Thread(target=lambda job=job: list(job.watch(log_tail=20)), daemon=True).start()
    time.sleep(3)
    platform = lifecycle.find_running()
    assert platform is not None
    began, spent = time.monotonic(), time.process_time() + _processor_seconds(platform.pid)
    time.sleep(10)
    share = (time.process_time() + _processor_seconds(platform.pid) - spent) / (time.monotonic() - began)
    for job in jobs:
        job.cancel()
    return share


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
