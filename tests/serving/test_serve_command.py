"""`cloudml serve` answers with a folder until it is interrupted, and says how to ask."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

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
