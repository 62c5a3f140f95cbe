"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.contracts.layer import Wire, watched
from tests.long_counts import IS_SOAK

# One seed where a change has to land, another each time where there is time to look.
# A deadline would measure the machine, not the code.
settings.register_profile("one-seed", derandomize=True, deadline=None)
settings.register_profile("soak", print_blob=True, deadline=None)
settings.load_profile("soak" if IS_SOAK else "one-seed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: none of them is then run alone at the end, while the other workers rest."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session", autouse=True)
def wire() -> Iterator[Wire]:
    """Whatever a test does, each request of our client and each answer of a platform in this process is looked at."""
    with watched() as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_wrong_on_the_wire(wire: Wire) -> Iterator[None]:
    """A test fails with the first request or answer that Google's documents do not allow."""
    wire.wrong.clear()
    yield
    assert wire.wrong == []


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A HOME of its own: another platform, another ledger, another configuration."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "KERAS_HOME"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("TARGET", "PROJECT", "REGION", "BUCKET", "MACHINE", "GPU", "IMAGE", "CONCURRENT_JOBS", "SPARE"):
        monkeypatch.delenv(f"CLOUDML_{variable}", raising=False)
    return folder
