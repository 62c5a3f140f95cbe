"""`cloudml serve` answers with a folder until it is interrupted, and says how to ask."""

from __future__ import annotations

import asyncio
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.serving.application import Application
from cloudml_magic.serving.settings import ServingSettings

pytestmark = pytest.mark.slow


def command(*arguments: str) -> list[str]:
    return [
        sys.executable,
        "-c",
        "from cloudml_magic.command_line import main; raise SystemExit(main())",
        "serve",
        *arguments,
    ]


@pytest.mark.parametrize("engine", ["tensorflow", "auto"])
def test_a_folder_is_served_until_it_is_interrupted(models: Path, home: Path, engine: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    process = subprocess.Popen(
        command(str(models / "table"), "--port", str(port), "--engine", engine),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    address = f"http://127.0.0.1:{port}/v1/models/table"
    used = "onnxruntime" if engine == "auto" else "tensorflow"
    assert process.stdout.readline().startswith(f"{address} answers ({used}). ")
    assert process.stdout.readline() == f"curl {address}/metadata\n"
    asked = re.fullmatch(r"curl (\S+):predict -d '(.*)'\n", process.stdout.readline())
    assert asked is not None and asked[1] == address
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = asked[2].replace("…", "[1, 2, 3, 4]")
    connection.request("POST", "/v1/models/table:predict", body, {"content-type": "application/x-www-form-urlencoded"})
    answer = connection.getresponse()
    assert answer.status == 200 and answer.read().startswith(b'{"predictions":[[')
    connection.close()
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) == 0
    process.stdout.close()


def test_a_folder_without_a_model_is_said_in_words(tmp_path: Path, home: Path) -> None:
    done = subprocess.run(command(str(tmp_path)), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        f"{tmp_path} holds no exported model.\n"
        "  Why:  There is neither cloudml.json nor saved_model.pb in it.\n"
        "  Next: Export a Keras model with `%ml_export MODEL`, or name the folder that holds saved_model.pb.\n"
        "[no-saved-model]\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["m", "--port", "99999"],
            "--port 99999 is no port.\n  Next: Give a whole number from 1 to 65535.\n[bad-port]\n",
        ),
        (
            ["m", "--name", "a/b"],
            "--name 'a/b' cannot stand in /v1/models/MODEL:predict.\n"
            "  Next: Use letters, digits, `.`, `_` and `-`.\n[bad-model-name]\n",
        ),
        (
            ["plain.keras"],
            "plain.keras is no model folder.\n  Why:  A .keras file has to be exported before it is served.\n"
            "  Next: In a notebook: `%ml_export FILE --to FOLDER`; then `cloudml serve FOLDER`.\n[no-model-folder]\n",
        ),
    ],
)
def test_a_wrong_argument_is_named(home: Path, arguments: list[str], said: str) -> None:
    """By the option that the user gave."""
    done = subprocess.run(command(*arguments), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, said)


def test_a_wrong_host_is_named(home: Path) -> None:
    """And not the port."""
    done = subprocess.run(command("m", "--host", "300.1.1.1"), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "The model cannot listen on the address 300.1.1.1.\n"
        "  Why:  It is no address of this machine.\n"
        "  Next: Use 127.0.0.1 for this machine only, or 0.0.0.0 for all that reach it.\n"
        "[bad-host]\n"
    )


async def _status(headers: dict[bytes, bytes]) -> int:
    application = Application(ServingSettings.of_environment({"AIP_STORAGE_URI": "/m"}))
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/v1/models/m", "method": "GET", "query_string": b"", "headers": headers.items()}
    await application(scope, receive, send)
    return int(sent[0]["status"])


@pytest.mark.parametrize(
    ("host", "status"),
    [(b"evil.example:8080", 403), (b"[", 403), (b"127.0.0.1:8080", 503), (b"localhost", 503), (b"[::1]:80", 503)],
)
def test_a_foreign_name_is_not_answered_on_this_machines_address(host: bytes, status: int) -> None:
    """A page of the web could make its name mean this machine (503: the model is not loaded here)."""
    assert asyncio.run(_status({b"host": host})) == status
