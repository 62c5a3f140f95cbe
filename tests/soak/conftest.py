"""A HOME of each test's own, and the platform in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloudml_magic.local_platform import lifecycle
from tests.long_counts import IS_SOAK
from tests.soak.living import LivePlatform, cancel_all


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.soak)
            item.add_marker(pytest.mark.slow)
            if IS_SOAK:
                item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture
def living(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], LivePlatform]]:
    """Starts the platform with so many jobs at once; at the end nothing of it is left."""
    monkeypatch.setenv("CLOUDML_PLATFORM_SPARE", "off")
    started: list[LivePlatform] = []

    def start(jobs_at_once: int = 4) -> LivePlatform:
        started.append(LivePlatform(jobs_at_once))
        return started[0]

    yield start
    for platform in started:
        platform.start()
        cancel_all(platform)
        platform.no_process_is_left(10)
    lifecycle.stop()
