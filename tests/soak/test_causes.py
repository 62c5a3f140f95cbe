"""R10: a job that failed says why, in words that help: killed, left, broken import, full disk, out of memory."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from cloudml_magic import pipeline
from cloudml_magic.states import JobState
from tests.long_counts import count
from tests.soak.living import LivePlatform

_FULL = "with open({path!r}, 'wb', buffering=0) as file:\n    while True:\n        file.write(bytes(65536))\n"
_CAUSES = {
    "killed": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "SIGKILL", "batch_size"),
    "segmentation fault": ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV", ""),
    "exit code": ("import sys\nsys.exit(7)", "7", ""),
    "exit from a thread's os._exit": ("import os\nos._exit(9)", "status of 9", ""),
    "missing module": ("import nothing_of_this_name", "nothing_of_this_name", "--requires"),
    "full disk": (_FULL.format(path="/dev/full"), "disk is full", "Free space"),
    "out of memory": (
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\nrows = bytearray(4 << 30)",
        "memory",
        "batch_size",
    ),
}


@pytest.mark.parametrize("name", _CAUSES)
def test_the_cause_is_named(living: Callable[..., LivePlatform], name: str) -> None:
    """In the error's message, with the next step; the cell where it was the code."""
    living(4)
    code, cause, step = _CAUSES[name]
    jobs = [pipeline.train(code, name=f"cause-{number}") for number in range(count(10, 1))]
    for job in jobs:
        for _ in job.watch():
            continue
        assert job.state is JobState.FAILED
        error = job.error
        assert error is not None
        assert cause in error.message, error
        assert step in f"{error.message} {error.next}", error


def test_a_disk_that_the_job_filled_is_named(living: Callable[..., LivePlatform]) -> None:
    """On a real file system of one mebibyte, mounted in the job's own name space."""
    inside = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    mount = "mount -t tmpfs -o size=1m none /mnt && "
    if subprocess.run([*inside, mount + "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets users mount nothing")
    platform = living(4)
    id = platform.create(*inside, mount + 'exec python3 -c "$0"', _FULL.format(path="/mnt/file"))
    error = platform.wait(id)["error"]["message"]
    assert "No space left on device" in error
    assert "Free space" in error
