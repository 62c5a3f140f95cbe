"""All that is deployed: a predictor for each, and for each endpoint the table by which its requests find one."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import random
import shutil
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.artifacts import (
    artifact_folder,
    check_pinned,
    engine_folder,
    model_uri,
    states_of_files,
)
from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.jobs import process_table
from cloudml_magic.local_platform.predictors.certification import certify
from cloudml_magic.local_platform.predictors.environment import (
    OWNER,
    health_route,
    loading_environment,
    predict_route,
    predictor_environment,
)
from cloudml_magic.local_platform.predictors.memory import memory_limit
from cloudml_magic.local_platform.predictors.predictor import Predictor
from cloudml_magic.local_platform.predictors.process import ServingProcess, Start, StartError, start_process
from cloudml_magic.local_platform.predictors.route import Route, Target
from cloudml_magic.local_platform.predictors.sockets import socket_folder
from cloudml_magic.local_platform.resources.endpoints import EndpointResources, StoredDeployment
from cloudml_magic.local_platform.resources.models import ModelResources, StoredVersion
from cloudml_magic.local_platform.settings import PlatformSettings
from cloudml_magic.local_platform.times import written
from cloudml_magic.places import PlatformPlaces

_LOOK_SECONDS = 1.0
_START_SECONDS = 600.0

_log = logging.getLogger("cloudml_magic.local_platform")


class Deployments:
    """The predictors of one platform; any thread may call."""

    def __init__(
        self, places: PlatformPlaces, endpoints: EndpointResources, models: ModelResources, settings: PlatformSettings
    ) -> None:
        self.endpoints = endpoints
        self.models = models
        self.chance = random.Random()
        self._places = places
        self._settings = settings
        self._folder = places.predictors
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._sockets = socket_folder(self._folder)
        self._numbers = itertools.count(1)
        self._predictors: dict[tuple[str, str, str], Predictor] = {}
        self._routes: dict[tuple[str, str], Route] = {}
        self._closing = threading.Event()
        self._watch: threading.Thread | None = None
        self._end_leftovers()
        for deployment in endpoints.deployments():
            with contextlib.suppress(PlatformError):
                self._predictors[deployment.key] = self.predictor(deployment)
        for endpoint in endpoints.endpoints("-"):
            self.refresh(endpoint.location, endpoint.id)

    def start(self) -> None:
        """Begins to watch."""
        self._watch = threading.Thread(target=self._look, name="predictors", daemon=True)
        self._watch.start()

    def _end_leftovers(self) -> None:
        """Of a platform that was killed; its processes end by themselves, but may take their time."""
        for pid in process_table.with_variable(f"{OWNER}={self._folder}"):
            process_table.send(pid, signal.SIGKILL)
        for leftover in {*self._folder.iterdir(), *self._sockets.iterdir()}:
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()

    def close(self) -> None:
        """Ends every process; what is deployed stays deployed."""
        self._closing.set()
        threads = [threading.Thread(target=each.stop) for each in self._predictors.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._watch is not None:
            self._watch.join(5)
        if self._sockets != self._folder:
            with contextlib.suppress(OSError):
                self._sockets.rmdir()

    # --- what requests and routes use ---

    def route(self, location: str, endpoint: str) -> Route | None:
        return self._routes.get((location, endpoint))

    def status(self, deployment: StoredDeployment) -> dict[str, Any]:
        """What an endpoint's resource says of a deployed model's process."""
        predictor = self._predictors.get(deployment.key)
        message = predictor.status_message() if predictor else deployment.message
        return {
            "message": message,
            "availableReplicaCount": int(predictor is not None and predictor.is_ready),
            "lastUpdateTime": written(deployment.updated),
        }

    def count(self) -> tuple[int, int]:
        """How many models are deployed, and how many of them have a process."""
        return len(self._predictors), sum(predictor.is_running for predictor in list(self._predictors.values()))

    def refresh(self, location: str, endpoint: str) -> None:
        """Makes the table of an endpoint anew, in one step, after any change."""
        # Else one that has read the rows before another change could put the older table over the newer.
        with self.models.database.lock:
            self._refresh(location, endpoint)

    def _refresh(self, location: str, endpoint: str) -> None:
        try:
            stored = self.endpoints.endpoint(location, endpoint)
        except PlatformError:
            self._routes.pop((location, endpoint), None)
            return
        targets = {}
        for each in stored.deployments:
            if (predictor := self._predictors.get(each.key)) is not None:
                version = self.models.version(each.model_location, each.model, str(each.version))
                name = version.body["displayName"]
                targets[each.id] = Target(predictor, predict_route(each, version), version, name)
        shares = tuple((id, percent) for id, percent in stored.traffic.items() if percent and id in targets)
        self._routes[location, endpoint] = Route(targets, shares, _inference_seconds(stored.body))

    # --- what operations use ---

    def predictor(self, deployment: StoredDeployment) -> Predictor:
        """A predictor for a deployment, which nobody finds before it is added."""
        version = self.models.version(deployment.model_location, deployment.model, str(deployment.version))

        folder = self._folder / f"{os.getpid()}-{next(self._numbers)}"

        def starter(cancelled: threading.Event) -> ServingProcess:
            return self._start(deployment, version, folder, cancelled)

        return Predictor(
            deployment, starter, folder, memory_limit(self._settings), self._settings.predictor_idle_seconds
        )

    def prepare(self, version: StoredVersion, cancelled: threading.Event) -> None:
        """Refuses a model that is not the uploaded one, and has it converted where that helps."""
        folder = self._checked_folder(version)
        if self._settings.fast_engine:
            certify(
                folder,
                engine_folder(self._places.engines, version.pinned),
                loading_environment(version, self._folder),
                cancelled,
            )

    def add(self, predictor: Predictor) -> None:
        self._predictors[predictor.deployment.key] = predictor

    def remove(self, deployment: StoredDeployment) -> None:
        predictor = self._predictors.pop(deployment.key, None)
        if predictor is not None:
            self.discard(predictor)

    def discard(self, predictor: Predictor) -> None:
        """Ends a predictor that nobody finds, and takes its folder back."""
        predictor.stop()
        shutil.rmtree(predictor.folder, ignore_errors=True)

    def find(self, deployment: StoredDeployment) -> Predictor | None:
        return self._predictors.get(deployment.key)

    # --- processes ---

    def _start(
        self, deployment: StoredDeployment, version: StoredVersion, folder: Path, cancelled: threading.Event
    ) -> ServingProcess:
        uri = model_uri(version.body, self._places.buckets)
        before = states_of_files(artifact_folder(self._places.buckets, uri), uri)
        model_folder = self._checked_folder(version)
        (folder / "work").mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = engine_folder(self._places.engines, version.pinned) if self._settings.fast_engine else None
        # Made anew if somebody has tidied it away.
        address = socket_folder(self._folder) / f"{os.getpid()}-{next(self._numbers)}.sock"
        environment = predictor_environment(deployment, version, model_folder, self._folder, engine)
        process = start_process(
            Start(
                socket=address,
                work=folder / "work",
                log=folder / "predictor.log",
                environment={**environment, "CLOUDML_SERVING_SOCKET": str(address)},
                health_route=health_route(deployment, version),
                seconds=_start_seconds(version),
            ),
            cancelled,
        )
        if states_of_files(model_folder, uri) != before:
            # It may have been swapped and swapped back: what was read is not known, so it must not answer.
            process.end()
            raise StartError(f"The model in {uri} was changed while it was read.")
        return process

    def _checked_folder(self, version: StoredVersion) -> Path:
        uri = model_uri(version.body, self._places.buckets)
        folder = artifact_folder(self._places.buckets, uri)
        check_pinned(folder, version.pinned, version.title, uri)
        return folder

    def _look(self) -> None:
        while not self._closing.wait(_LOOK_SECONDS):
            for predictor in list(self._predictors.values()):
                try:
                    predictor.look()
                except Exception:
                    _log.exception("looking after a predictor failed")


def _start_seconds(version: StoredVersion) -> float:
    given = version.body["containerSpec"].get("deploymentTimeout", "")
    return float(given[:-1]) if given and float(given[:-1]) > 0 else _START_SECONDS


def _inference_seconds(endpoint: Mapping[str, Any]) -> float:
    given = (endpoint.get("clientConnectionConfig") or {}).get("inferenceTimeout", "")
    return float(given[:-1]) if given and float(given[:-1]) > 0 else _START_SECONDS
