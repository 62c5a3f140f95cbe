"""A cloud that is rehearsed: Google's addresses lead to the local platform, through a fault proxy, and to a stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.client.cloud_watch import pace
from cloudml_magic.client.google_credentials import GoogleCredentials
from cloudml_magic.connection import cloud
from cloudml_magic.local_platform import lifecycle
from cloudml_magic.local_platform.address import PlatformAddress
from cloudml_magic.local_platform.settings import PlatformSettings
from cloudml_magic.pipeline import session
from tests.cloud.google import Google
from tests.faults.proxy import FaultProxy
from tests.homes import end_platform, home_of
from tests.shells import new_shell

_ON_THE_PLATFORM = ("aiplatform", "ml", "storage", "logging")
_ELSEWHERE = ("cloudresourcemanager", "serviceusage", "cloudbilling", "cloudbuild", "artifactregistry", "iam")


@dataclass
class Cloud:
    """What a test of the cloud has at hand."""

    google: Google
    proxy: FaultProxy
    platform: PlatformAddress

    def expire(self) -> None:
        """Google accepts this user's sign-in no longer."""
        self.google.is_expired = True


@pytest.fixture(scope="module")
def cloud_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformAddress]:
    folder = tmp_path_factory.mktemp("cloud")
    with home_of(folder):
        yield lifecycle.ensure_running(settings=PlatformSettings(spare=False))
    end_platform(folder)


@pytest.fixture
def google_cloud(cloud_platform: PlatformAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """A project `local` in which everything is as it should be, reached with a service account; watched quickly."""
    monkeypatch.setattr(pace, "SECONDS_PER_CALL", 0.05)
    monkeypatch.setattr(cloud, "_CREDENTIALS", GoogleCredentials())
    monkeypatch.setattr(session.CURRENT, "_session", {})
    with Google(cloud_platform.token) as google, FaultProxy(cloud_platform.port) as proxy:
        google.service_account(tmp_path / "key.json")
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
        for api in _ON_THE_PLATFORM:
            monkeypatch.setenv(f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{api.upper()}", f"{proxy.endpoint}/")
        for api in _ELSEWHERE:
            monkeypatch.setenv(f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{api.upper()}", f"{google.endpoint}/")
        google.answer(
            "cloudresourcemanager.projects.get", {"name": "projects/1", "state": "ACTIVE", "projectId": "local"}
        )
        session._connection.cache_clear()
        session.CURRENT.set({"target": "cloud", "project": "local", "region": "us-central1", "bucket": "cloudml-local"})
        yield Cloud(google, proxy, cloud_platform)
        session._connection.cache_clear()


@pytest.fixture
def shell(google_cloud: Cloud) -> Iterator[Any]:
    """A shell whose magics reach this cloud."""
    from cloudml_magic import notebook

    shell = new_shell()
    notebook.register(shell)
    yield shell
    notebook.unregister(shell)
