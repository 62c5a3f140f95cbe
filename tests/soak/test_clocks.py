"""R11: clocks may lie by a day, forwards and back: what a card shows has no negative duration and loses no line."""

from __future__ import annotations

import random

from cloudml_magic.cards.job.view import JobView
from cloudml_magic.pipeline.progress import JobProgress
from cloudml_magic.records import JobEvent, JobSnapshot, Target
from cloudml_magic.states import JobState
from tests.long_counts import count

_DAY = 86_400.0


def test_a_clock_that_steps_shows_no_negative_duration() -> None:
    """The clocks of the job, of the platform and of the kernel step by up to a day at any moment, each its own way."""
    chance = random.Random(6)
    for _ in range(count(20_000, 2_000)):
        true = 1_800_000_000.0
        steps = dict.fromkeys(("job", "platform", "kernel"), 0.0)

        def now(clock: str) -> float:
            if chance.random() < 0.2:
                steps[clock] = chance.choice([-_DAY, _DAY, chance.uniform(-_DAY, _DAY)])  # noqa: B023
            return true + steps[clock]  # noqa: B023

        progress, lines = JobProgress(), 0
        snapshot = JobSnapshot("1", "projects/p/1", "clock", JobState.QUEUED, Target.LOCAL, "", now("platform"))
        told = [("state", "platform", {"state": state}) for state in ("QUEUED", "PREPARING", "RUNNING")]
        told.append(("fit", "job", {"fit": 1, "epochs": 4, "steps": 10}))
        for epoch in range(1, 5):
            told.append(("step", "job", {"fit": 1, "epoch": epoch, "epochs": 4, "step": 5, "steps": 10}))
            told.append(("log", "job", {"text": f"epoch {epoch}", "severity": "INFO"}))
            # The runtime measures an epoch by a clock that nobody sets.
            told.append(("epoch", "job", {"fit": 1, "epoch": epoch, "epochs": 4, "seconds": 1.5, "metrics": {}}))
        told.append(("state", "platform", {"state": chance.choice(["SUCCEEDED", "FAILED", "CANCELLED"])}))
        for kind, clock, fields in told:
            true += chance.uniform(0, 5)
            progress.apply(JobEvent(kind, now(clock), fields))
            lines += kind == "log"
            view = JobView.of(snapshot, progress, now("kernel"))
            assert view.elapsed is None or view.elapsed >= 0
            assert view.left is None or 0 <= view.left <= 6
            assert view.fraction is None or 0 <= view.fraction <= 1
            assert len(view.log) == lines
        assert view.state.is_final
        assert view.elapsed == JobView.of(snapshot, progress, now("kernel")).elapsed, "an ended job's time stands still"
