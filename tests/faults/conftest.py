"""A platform of this module's own, and a fault proxy between it and the client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cloudml_magic.client import calls
from cloudml_magic.connection import local
from cloudml_magic.local_platform import lifecycle
from cloudml_magic.local_platform.settings import PlatformSettings
from cloudml_magic.storage import objects
from tests.faults.proxy import FaultProxy
from tests.homes import end_platform, home_of


@pytest.fixture(scope="module")
def platform_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("faults")
    with home_of(folder):
        yield folder
    end_platform(folder)


@pytest.fixture
def proxy(platform_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """The pipeline of this process reaches the platform only through the proxy, and loses patience after a second."""
    settings = replace(PlatformSettings.from_environment(), spare=False)
    address = lifecycle.ensure_running(settings=settings)
    monkeypatch.setattr(calls, "TIMEOUT_SECONDS", 1.0)
    monkeypatch.setattr(objects, "TIMEOUT_SECONDS", 1.0)
    with FaultProxy(address.port) as between:

        def through_the_proxy(_: object) -> lifecycle.PlatformAddress:
            return replace(lifecycle.ensure_running(settings=settings), endpoint=between.endpoint)

        monkeypatch.setattr(local, "running_platform", through_the_proxy)
        from cloudml_magic.pipeline import session

        session._connection.cache_clear()
        yield between
        session._connection.cache_clear()
