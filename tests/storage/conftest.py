"""A platform of this folder's own, Google's client of it, and a shell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.cloud import storage
from google.oauth2.credentials import Credentials

from cloudml_magic.local_platform import lifecycle
from cloudml_magic.local_platform.address import PlatformAddress
from cloudml_magic.local_platform.settings import PlatformSettings
from cloudml_magic.pipeline import session
from tests.homes import end_platform
from tests.shells import new_shell


@pytest.fixture(scope="session")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("storage")
    yield folder
    end_platform(folder)


@pytest.fixture
def platform(
    user: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PlatformAddress]:
    """The platform, reached as by its user; nothing is remembered of files from test to test."""
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("HOME", str(user))
    session._connection.cache_clear()
    yield lifecycle.ensure_running(settings=PlatformSettings(spare=False))
    session._connection.cache_clear()


@pytest.fixture
def google(platform: PlatformAddress) -> storage.Client:
    """Google's own client of this platform."""
    client = storage.Client(
        project="local",
        credentials=Credentials(token=platform.token),
        client_options={"api_endpoint": platform.endpoint},
    )
    client._http.trust_env = False
    return client


@pytest.fixture
def bucket(google: storage.Client, request: pytest.FixtureRequest) -> storage.Bucket:
    """A bucket of the test's own."""
    import secrets

    return google.create_bucket(f"bucket-{secrets.token_hex(4)}")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the notebook lies."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def say(platform: PlatformAddress, here: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[str], str]]:
    """Runs a line of %ml_storage; what it printed."""
    from cloudml_magic import notebook

    shell = new_shell()
    notebook.register(shell)

    def run(line: str) -> str:
        capsys.readouterr()
        shell.run_line_magic("ml_storage", line)
        return capsys.readouterr().out

    run.shell = shell  # type: ignore[attr-defined]
    yield run
    notebook.unregister(shell)


def names(bucket: Any) -> list[str]:
    return [blob.name for blob in bucket.client.list_blobs(bucket)]
