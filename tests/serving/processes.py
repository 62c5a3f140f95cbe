"""Serving processes for tests: started by their real command, asked over their real sockets."""

from __future__ import annotations

import http.client
import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Reply:
    """An answer, whole."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def error(self) -> str:
        return str(self.json["error"])


class ServingProcess:
    """`python -m cloudml_magic.serving` on a Unix socket, ended with the test."""

    def __init__(self, folder: Path | str, place: Path, engine: Path | None = None, **environment: str) -> None:
        self.socket = str(place / f"{os.urandom(4).hex()}.sock")
        variables = {
            "AIP_STORAGE_URI": str(folder),
            "CLOUDML_SERVING_MODEL": "m",
            "CLOUDML_SERVING_SOCKET": self.socket,
            "CLOUDML_SERVING_PARENT": "stdin",
            **({"CLOUDML_SERVING_ENGINE": str(engine)} if engine else {}),
            **environment,
        }
        self.errors = (place / "errors.txt").open("ab+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cloudml_magic.serving"],
            env={**os.environ, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
        )

    def outcome(self) -> dict[str, Any]:
        """The one line that it prints."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return dict(json.loads(line)) if line else {}

    def connection(self) -> http.client.HTTPConnection:
        return UnixConnection(self.socket)

    def ask(self, body: Any = None, path: str = "/v1/models/m:predict", verb: str = "POST", **headers: str) -> Reply:
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection = self.connection()
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(verb, path, content, named or {"content-type": "application/json"})
            answer = connection.getresponse()
            return Reply(answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Reply:
        return self.ask(path=path, verb="GET")

    def memory(self) -> int:
        """Resident bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def end(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()
