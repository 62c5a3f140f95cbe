"""R9: a cancel leaves nothing, wherever the job stands and however its processes hide."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from tests.long_counts import count, within
from tests.soak.living import LivePlatform

_HIDING = (
    "sleep 600",
    "trap '' TERM; while true; do sleep 600; done",
    "setsid sh -c 'trap \"\" TERM; sleep 600; sleep 600' & sleep 600",
    "(nohup sleep 600 >/dev/null 2>&1 &); (setsid sleep 600 &); sleep 600",
    "while true; do setsid sleep 600 & sleep 0.01; done",
)


def test_a_cancel_leaves_no_process(living: Callable[..., LivePlatform]) -> None:
    """Within five seconds every job is CANCELLED and none of its processes lives."""
    platform, chance = living(5), random.Random(4)
    for _ in range(count(20, 2)):
        ids = [platform.create("sh", "-c", script) for script in _HIDING]
        if chance.random() < 0.7:
            for id in ids:
                platform.wait(id, "JOB_STATE_RUNNING")
        time.sleep(chance.uniform(0, 0.3))
        began = time.monotonic()
        for id in ids:
            platform.cancel(id)
        for id in ids:
            assert platform.wait(id, seconds=within(5))["state"] == "JOB_STATE_CANCELLED"
        platform.no_process_is_left(max(0.1, began + within(5) - time.monotonic()))
