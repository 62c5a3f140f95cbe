"""A real Jupyter server, with its token and XSRF on, and a HOME of its own: another platform."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tests.homes import end_platform

_LONGEST_START = 60.0


class Jupyter:
    """One server process; `application` is `lab` or `notebook`."""

    def __init__(
        self,
        folder: Path,
        application: str = "lab",
        extra: Mapping[str, str] | None = None,
        with_server_half: bool = True,
    ) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.notebooks = folder / "notebooks"
        self.token = secrets.token_hex(16)
        self._application = application
        self._extra = dict(extra or {})
        self._has_server_half = with_server_half
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Jupyter:
        """Returns when it answers."""
        for folder in (self.home, self.notebooks):
            folder.mkdir(parents=True, exist_ok=True)
        self._settle()
        if not self.port:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "jupyter", self._application, "--no-browser", "--allow-root"),
                    *(f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1"),
                    f"--ServerApp.root_dir={self.notebooks}",
                    f"--{'LabApp' if self._application == 'lab' else 'JupyterNotebookApp'}.expose_app_in_browser=True",
                    f"--ServerApp.jpserver_extensions=cloudml_magic={self._has_server_half}",
                ],
                env=self._environment(),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        self._wait()
        return self

    def stop(self) -> None:
        """Ends the server and its kernels, and the platform of its HOME."""
        self.end_server()
        end_platform(self.home)

    def end_server(self) -> None:
        """Ends the server alone, as a crash or a restart of it does; its port stays its own."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text("utf-8", "replace")

    def _settle(self) -> None:
        """No news from the internet, nothing of another user's configuration."""
        config = self.folder / "config" / "labconfig"
        config.mkdir(parents=True, exist_ok=True)
        quiet = {"@jupyterlab/apputils-extension:announcements": True, "@jupyterlab/extensionmanager-extension": True}
        (config / "page_config.json").write_text(json.dumps({"disabledExtensions": quiet}))

    def _environment(self) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JUPYTER", "XDG_", "CLOUDML_", "JPY_")) and name != "PYTHONDONTWRITEBYTECODE"
        }
        return {
            **inherited,
            "HOME": str(self.home),
            "JUPYTER_TOKEN": self.token,
            "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
            "JUPYTER_DATA_DIR": str(self.folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            **self._extra,
        }

    def _wait(self) -> None:
        deadline = time.monotonic() + _LONGEST_START
        request = urllib.request.Request(f"{self.address}/api/status", headers={"Authorization": f"token {self.token}"})
        while True:
            try:
                urllib.request.urlopen(request, timeout=5).close()
                return
            except OSError:
                assert self._process is not None and self._process.poll() is None, self.log
                assert time.monotonic() < deadline, self.log
                time.sleep(0.1)
