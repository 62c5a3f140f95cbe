"""Every route asks who is there: authentication on each, Jupyter's XSRF token on each POST, nothing changed by a GET."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from jupyter_server.base.handlers import APIHandler

from cloudml_magic.server_extension.handler import Handler
from cloudml_magic.server_extension.routes import ROUTES
from cloudml_magic.server_extension.routes.tensorboard import BoardHandler
from tests.server_extension.conftest import Server

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
PATHS = [
    (pattern.replace(r"([0-9]{1,20})", "1").replace("([0-9a-f]{1,64})", "ab").replace("([0-9a-f]{16})", "0" * 16)
     .replace("(.*)", "x"), handler)
    for pattern, handler in ROUTES
]  # fmt: skip


def test_all_routes_stand_on_the_one_base() -> None:
    for (pattern, handler), (path, _) in zip(ROUTES, PATHS, strict=True):
        assert issubclass(handler, Handler) and issubclass(handler, APIHandler), pattern
        assert re.fullmatch(pattern, path), "The paths of this file are those of the routes."
        own = {"check_xsrf_cookie", "get_current_user", "check_origin"} & set(vars(handler))
        assert not own or handler is BoardHandler, f"{pattern} has a door of its own."


def answers_to(handler: Any, method: str) -> bool:
    return method in handler.SUPPORTED_METHODS and method.lower() in vars(handler)


async def asked(client: Any, base: str, path: str, method: str, headers: dict[str, str]) -> Any:
    body = {"body": "{}"} if method in ("POST", "PUT", "PATCH") else {}
    return await client.fetch(
        base.rstrip("/") + path, method=method, headers=headers, follow_redirects=False, raise_error=False, **body
    )


async def test_strangers_are_let_in_nowhere(jp_serverapp: Any, http_server_client: Any, jp_base_url: str) -> None:
    for path, handler in PATHS:
        for method in METHODS:
            answer = await asked(http_server_client, jp_base_url, path, method, {})
            expected = (403,) if answers_to(handler, method) else (405,)
            assert answer.code in expected, (method, path, answer.code)


async def cookie_of(server: Any, client: Any, base: str) -> dict[str, str]:
    """What the browser of a user who is logged in sends by itself."""
    token = server.identity_provider.token
    answer = await client.fetch(f"{base}api/status?token={token}", raise_error=False)
    pairs = [line.partition(";")[0] for line in answer.headers.get_list("Set-Cookie")]
    return {"Cookie": "; ".join(pairs)}


async def test_a_cookie_alone_changes_nothing(jp_serverapp: Any, http_server_client: Any, jp_base_url: str) -> None:
    """A page from elsewhere, which the user's browser opens, has the cookie but not the token."""
    cookie = await cookie_of(jp_serverapp, http_server_client, jp_base_url)
    evil = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    own_host = {"Sec-Fetch-Site": "cross-site"}
    for path, handler in PATHS:
        if answers_to(handler, "POST"):
            for more in ({}, evil, own_host):
                answer = await asked(http_server_client, jp_base_url, path, "POST", {**cookie, **more})
                # Jupyter calls a request from elsewhere not found; one of unknown origin lacks its token, whatever it asks for.
                assert answer.code in ((403, 404) if "Origin" in more else (403,)), (path, more, answer.code)
    status = await asked(http_server_client, jp_base_url, "/cloudml/v1/status", "GET", cookie)
    assert status.code == 200, "The cookie is that of a user who is logged in."


async def test_tensorboard_alone_is_asked_by_post_from_its_own_page(
    jp_serverapp: Any, http_server_client: Any, jp_base_url: str
) -> None:
    cookie = await cookie_of(jp_serverapp, http_server_client, jp_base_url)
    host = f"127.0.0.1:{jp_serverapp.port}"
    own = {**cookie, "Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    for path, handler in PATHS:
        if answers_to(handler, "POST"):
            answer = await asked(http_server_client, jp_base_url, path, "POST", own)
            let_in = answer.code != 403
            assert let_in == (handler is BoardHandler), (path, answer.code)


async def test_an_error_of_ours_tells_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch, jp_serverapp: Any
) -> None:
    secret = jp_serverapp.identity_provider.token

    def broken() -> None:
        raise RuntimeError(f"token {secret}")

    half = await jp_serverapp.web_app.settings["cloudml_magic"].half()
    monkeypatch.setattr(half.status, "status", broken)
    status, parts = await server.refused("GET", "status")
    assert status == 500 and parts["reference"] == "server-fault"
    assert secret not in json.dumps(parts) and "Traceback" not in json.dumps(parts)


async def test_every_answer_tells_the_version(server: Server) -> None:
    from cloudml_magic.version import VERSION

    answer = await server.raw("GET", "status")
    assert answer.headers["X-CloudML-Version"] == VERSION
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_loading_it_imports_nothing_heavy() -> None:
    program = """
import sys
before = set(sys.modules)
import cloudml_magic
(point,) = cloudml_magic._jupyter_server_extension_points()
point["app"]()
import cloudml_magic.server_extension.routes
heavy = [name for name in set(sys.modules) - before if name.partition(".")[0] in
         ("google", "googleapiclient", "tensorflow", "keras", "numpy", "PIL", "tensorboard", "pandas")
         or name.startswith(("cloudml_magic.pipeline", "cloudml_magic.client", "cloudml_magic.local_platform"))]
print(heavy)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_the_package_needs_no_jupyter() -> None:
    program = (
        "import sys, cloudml_magic, cloudml_magic.pipeline; print([n for n in sys.modules if n.startswith('jupyter')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
