"""A real Jupyter server with the extension, and the real local platform, in a HOME of its own."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_jupyter.jupyter_server import *  # noqa: F403
from tornado.httpclient import HTTPClientError, HTTPResponse

from cloudml_magic import pipeline
from cloudml_magic.pipeline import Job
from tests.cloud.conftest import cloud_platform, google_cloud  # noqa: F401
from tests.homes import end_platform, home_of

REPORTING = "from cloudml_magic import report\nimport time\n"


@pytest.fixture(scope="session")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The HOME of a user, shared by these tests as its platform is."""
    folder = tmp_path_factory.mktemp("user")
    yield folder
    end_platform(folder)


@pytest.fixture(scope="module", autouse=True)
def at_home(user: Path) -> Iterator[None]:
    # None of these jobs trains: an interpreter that holds Keras already would only be made for nothing.
    # The extension tells the kernels of its server by CLOUDML_LAB, which is not to outlive it.
    with home_of(user, CLOUDML_SPARE="off", CLOUDML_LAB=""):
        yield


@pytest.fixture
def home(user: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shared HOME, also where a fixture of Jupyter has set another."""
    monkeypatch.setenv("HOME", str(user))
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    return user


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {"ServerApp": {"jpserver_extensions": {"cloudml_magic": True}}}


class Server:
    """The extension's routes as a page asks them."""

    def __init__(self, fetch: Callable[..., Awaitable[HTTPResponse]]) -> None:
        self._fetch = fetch

    async def get(self, *path: str, **query: str) -> Any:
        return json.loads((await self._fetch("cloudml", "v1", *path, params=query)).body)

    async def post(self, *path: str, **fields: Any) -> Any:
        return json.loads((await self.raw("POST", *path, body=json.dumps(fields))).body)

    async def raw(self, method: str, *path: str, **how: Any) -> HTTPResponse:
        return await self._fetch("cloudml", "v1", *path, method=method, request_timeout=60, **how)

    async def refused(self, method: str, *path: str, **how: Any) -> tuple[int, dict[str, str]]:
        """The status and the four parts of an error."""
        with pytest.raises(HTTPClientError) as caught:
            await self.raw(method, *path, **how)
        assert caught.value.response is not None
        parts = json.loads(caught.value.response.body)
        assert set(parts) == {"reference", "what", "why", "next"}
        return caught.value.code, parts


@pytest.fixture
def server(jp_serverapp: Any, jp_fetch: Any, home: Path) -> Server:
    return Server(jp_fetch)


def send(code: str, name: str = "job") -> Job:
    """A job that needs no Keras."""
    return pipeline.train(REPORTING + code, name=name)


async def until(found: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What a function finds at last, the event loop going on meanwhile."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, "It did not happen in time."
        await asyncio.sleep(0.02)
    return value


async def in_thread(function: Callable[[], Any]) -> Any:
    """A blocking call beside the event loop on which the server runs."""
    return await asyncio.get_running_loop().run_in_executor(None, function)
