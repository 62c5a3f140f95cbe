"""Jobs in the cloud as the Jupyter server shows them, whose own settings say nothing of a cloud."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic import pipeline
from cloudml_magic.local_platform.address import PlatformAddress
from cloudml_magic.pipeline import session
from cloudml_magic.places import ledger_file
from tests.cloud.conftest import Cloud
from tests.server_extension.conftest import Server, in_thread


@pytest.fixture
def home(cloud_platform: PlatformAddress) -> Path:
    """The HOME of the rehearsed cloud, not that of the other tests here."""
    return Path(os.environ["HOME"])


@pytest.fixture
def server(
    home: Path, google_cloud: Cloud, jp_serverapp: Any, jp_fetch: Any, monkeypatch: pytest.MonkeyPatch
) -> Server:
    monkeypatch.setenv("HOME", str(home))
    return Server(jp_fetch)


async def test_a_job_of_a_notebook_is_listed_shown_and_cancelled(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name in the ledger says project and region; the local platform is neither needed nor started."""
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    ended = await in_thread(lambda: pipeline.train("print('there')", name="ended").wait())
    running = await in_thread(lambda: pipeline.train("import time; time.sleep(100)", name="running"))
    ledgers = ledger_file().parent
    monkeypatch.setenv("HOME", str(tmp_path / "elsewhere"))
    shutil.copytree(ledgers, ledger_file().parent, ignore=lambda *_: {"platform"})
    monkeypatch.setattr(session.CURRENT, "_session", {})
    session._connection.cache_clear()

    listed = await server.get("jobs")
    found = {each["document"]["id"]: each["document"] for each in listed["jobs"]}
    assert {ended.id, running.id} <= set(found)
    assert (found[ended.id]["state"], found[ended.id]["target"]) == ("SUCCEEDED", "cloud")
    details = await server.get("jobs", ids=ended.id)
    assert "there" in [line["text"] for line in details["jobs"][0]["document"]["log"]]
    status = listed["status"]
    assert (status["target"], status["running"] + status["queued"]) == ("local", 1)
    assert not (tmp_path / "elsewhere/.local/state/cloudml-magic/platform").exists()
    await server.post("jobs", running.id, "cancel")


async def test_what_is_in_the_cloud_is_shown_where_no_local_platform_ever_ran(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's own settings name the cloud; this machine has nothing to say of what is there."""
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    await in_thread(lambda: pipeline.train("print('there')", name="there").wait())
    monkeypatch.setenv("HOME", str(tmp_path / "elsewhere"))
    session._connection.cache_clear()

    assert "cloudml-local" in [each["name"] for each in (await server.get("buckets"))["buckets"]]
    assert not (tmp_path / "elsewhere/.local/state/cloudml-magic/platform").exists()
