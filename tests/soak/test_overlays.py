"""Two jobs that need the same overlay at the same time: it is made once, whole, and both run in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cloudml_magic import pipeline
from cloudml_magic.places import PlatformPlaces
from cloudml_magic.states import JobState
from tests.jobs.test_packages import wheel
from tests.long_counts import count
from tests.soak.living import LivePlatform


def test_jobs_that_race_for_an_overlay_share_it(
    living: Callable[..., LivePlatform], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No job sees half of it, nothing partial stays."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    monkeypatch.setenv("UV_FIND_LINKS", str(shelf))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    living(4)
    for number in range(1, count(20, 2) + 1):
        wheel(shelf, "cloudml_soak_extra", str(number), f"value = {number}")
        code = f"import cloudml_soak_extra\nassert cloudml_soak_extra.value == {number}"
        requires = f"cloudml_soak_extra=={number}"
        jobs = [pipeline.train(code, name=f"racer-{racer}", requires=requires) for racer in range(4)]
        for job in jobs:
            for _ in job.watch():
                continue
            assert job.state is JobState.SUCCEEDED, job.error
    overlays = PlatformPlaces.of_this_user().overlays
    made = [path.name for path in overlays.iterdir() if path.is_dir()]
    assert len(made) == count(20, 2), made
    assert not [name for name in made if name.startswith(".")]
