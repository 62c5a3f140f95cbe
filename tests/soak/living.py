"""A platform that really runs, in a HOME of its own: spoken to by plain HTTP, killed without warning, started again."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform import lifecycle
from cloudml_magic.local_platform.address import PlatformAddress
from cloudml_magic.local_platform.settings import PlatformSettings
from cloudml_magic.places import PlatformPlaces

ENDED = ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED")
_JOBS = "/v1/projects/cloudml-local/locations/us-central1/customJobs"


class LivePlatform:
    """The platform of the current HOME, without a warm spare."""

    def __init__(self, jobs_at_once: int) -> None:
        self._settings = replace(PlatformSettings.from_environment(), spare=False, cpu_jobs=jobs_at_once)
        self.address = self.start()

    def start(self) -> PlatformAddress:
        self.address = lifecycle.ensure_running(settings=self._settings)
        return self.address

    def kill(self) -> None:
        """As the kernel does when memory is short: at once, wherever the server stands."""
        os.kill(self.address.pid, signal.SIGKILL)
        while lifecycle.find_running() is not None:
            time.sleep(0.002)

    def ask(self, verb: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.address.port, timeout=20)
        headers = {"Authorization": f"Bearer {self.address.token}", "Content-Type": "application/json"}
        try:
            content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
            connection.request(verb, path, content, headers)
            answer = connection.getresponse()
            read = answer.read()
            if answer.status != 200:
                raise AssertionError(f"{verb} {path}: {answer.status} {read!r}")
            return json.loads(read) if read else None
        finally:
            connection.close()

    def create(self, *command: str, token: str | None = None) -> str:
        """A job of one command; returns its id."""
        container = {"imageUri": "tensorflow/tensorflow:latest", "command": [command[0]], "args": list(command[1:])}
        pool = {"machineSpec": {"machineType": "n1-standard-4"}, "replicaCount": 1, "containerSpec": container}
        body: dict[str, Any] = {"displayName": "soak", "jobSpec": {"workerPoolSpecs": [pool]}}
        if token is not None:
            body["labels"] = {"cloudml-token": token}
        return str(self.ask("POST", _JOBS, body)["name"].rpartition("/")[2])

    def job(self, id: str) -> Any:
        return self.ask("GET", f"{_JOBS}/{id}")

    def jobs(self) -> list[Any]:
        found, token = [], ""
        while True:
            answer = self.ask("GET", f"{_JOBS}?pageSize=1000{token}")
            found += answer.get("customJobs", [])
            if not answer.get("nextPageToken"):
                return found
            token = f"&pageToken={answer['nextPageToken']}"

    def cancel(self, id: str) -> None:
        self.ask("POST", f"{_JOBS}/{id}:cancel", {})

    def wait(self, id: str, *states: str, seconds: float = 60.0) -> Any:
        deadline = time.monotonic() + seconds
        while True:
            job = self.job(id)
            if job["state"] in (states or ENDED):
                return job
            assert time.monotonic() < deadline, (job["state"], self.log(id))
            time.sleep(0.01)

    def log(self, id: str) -> str:
        file = PlatformPlaces.of_this_user().jobs / id / "workerpool0-0" / "output.log"
        return file.read_text() if file.exists() else ""

    def stored_state(self, id: str) -> str:
        """What the server has written down, asked without it."""
        database = PlatformPlaces.of_this_user().database
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return str(connection.execute("SELECT state FROM jobs WHERE id = ?", (id,)).fetchone()[0])

    def processes(self) -> list[str]:
        """Every process that this platform's jobs have left, supervisors included, as one line each."""
        mark = f"CLOUDML_REPLICA={PlatformPlaces.of_this_user().jobs}".encode()
        home = str(PlatformPlaces.of_this_user().jobs).encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                    continue
                # A supervisor's environment is bare; it writes its log into the replica's folder.
                errors = os.fsencode((process / "fd" / "2").readlink())
                if mark in (process / "environ").read_bytes() or errors.startswith(home):
                    found.append(f"{process.name} {(process / 'cmdline').read_bytes()[:200]!r}")
            except OSError:
                continue
        return found

    def no_process_is_left(self, seconds: float = 5.0) -> None:
        deadline = time.monotonic() + seconds
        while left := self.processes():
            assert time.monotonic() < deadline, left
            time.sleep(0.02)


def cancel_all(platform: LivePlatform) -> None:
    """Ends what a test left, the last first, so that none of those that wait begins."""
    for job in platform.jobs():
        if job["state"] not in ENDED:
            platform.cancel(job["name"].rpartition("/")[2])
