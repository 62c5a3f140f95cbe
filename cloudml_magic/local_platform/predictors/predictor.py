"""One deployed version: its serving process is started when it is needed, again when it dies, and put to sleep."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.predictors.connection import ConnectionPool
from cloudml_magic.local_platform.predictors.memory import megabytes
from cloudml_magic.local_platform.predictors.process import (
    ServingProcess,
    StartCancelledError,
    StartError,
    ended_with,
)
from cloudml_magic.local_platform.resources.endpoints import StoredDeployment
from cloudml_magic.states import DEPLOYMENT_TRANSITIONS, DeploymentState

MOST_UNDER_WAY = 256
_LONG_LIFE_SECONDS = 60.0
_LONGEST_PAUSE = 60.0
_MOST_TRIES = 5
_STEP_SECONDS = 0.01

Starter = Callable[[threading.Event], ServingProcess]
"""Starts the process, unless the event says that nobody wants it; raises StartError or PlatformError."""

_log = logging.getLogger("cloudml_magic.local_platform")


class Predictor:
    """The serving process of one deployed version, whether it runs or not; any thread may call."""

    def __init__(
        self, deployment: StoredDeployment, starter: Starter, folder: Path, memory_limit: int, idle_seconds: float
    ) -> None:
        self.deployment = deployment
        self.folder = folder
        self.message = deployment.message
        self.state = DeploymentState.ASLEEP
        self.connections = ConnectionPool("")
        self._starter = starter
        self._memory_limit = memory_limit
        self._idle_seconds = idle_seconds
        self._lock = threading.RLock()
        self._cancelled = threading.Event()
        self._process: ServingProcess | None = None
        self._waking: Future[None] | None = None
        self._under_way = 0
        self._is_retired = False
        self._last_used = time.monotonic()
        self._failures = 0
        self._not_before = 0.0
        self._why_killed = ""
        self._why_ended = ""
        self._is_refused = False

    # --- what requests use ---

    def begin(self) -> bool:
        """Counts a request in; false if the predictor takes no more for ever. Raises 429 if there are too many."""
        with self._lock:
            if self._is_retired:
                return False
            if self._under_way >= MOST_UNDER_WAY:
                raise PlatformError(429, f"{self._title} answers {MOST_UNDER_WAY} requests already.", retry_after=1)
            self._under_way += 1
            return True

    def end(self) -> None:
        """Counts a request out."""
        with self._lock:
            self._under_way -= 1
            self._last_used = time.monotonic()

    def wake(self) -> Future[None] | None:
        """Nothing if the process runs; else what is done when it does. Raises 503 while it must rest."""
        if self.is_ready:
            return None
        with self._lock:
            if self.is_ready:
                return None
            if self._waking is None:
                self._check_rest()
                self._go(DeploymentState.STARTING)
                self._waking = Future()
                self._waking.set_running_or_notify_cancel()
                threading.Thread(target=self._live, args=(self._waking,), name=self._title, daemon=True).start()
            return self._waking

    def why_lost(self) -> str:
        """Why a request may have lost its connection, as far as it is known."""
        return self._why_killed or self._why_ended

    # --- what operations use ---

    def start(self, cancelled: threading.Event) -> None:
        """Starts the process and waits for it; raises PlatformError, after which nothing of it is left."""
        waking = self.wake()
        while waking is not None and not waking.done():
            if cancelled.wait(_STEP_SECONDS):
                self.stop()
        if waking is not None:
            waking.result()

    def retire(self) -> None:
        """Takes no more requests; those that are under way are answered, also if the process must start for them."""
        with self._lock:
            self._is_retired = True

    def drain(self, seconds: float, hurry: threading.Event) -> None:
        """Retires, and waits until no request is under way, the time is over, or somebody is in a hurry."""
        self.retire()
        deadline = time.monotonic() + seconds
        while self._under_way and time.monotonic() < deadline and not hurry.wait(_STEP_SECONDS):
            continue

    def stop(self) -> None:
        """Ends the process for good."""
        with self._lock:
            self._is_retired = True
            if self.state not in (DeploymentState.STOPPING, DeploymentState.STOPPED):
                self._go(DeploymentState.STOPPING)
            self._cancelled.set()
        waking = self._waking
        if waking is not None:
            # The start was cancelled: it takes down what it had begun.
            waking.exception()
        with self._lock:
            process, self._process = self._process, None
            if self.state == DeploymentState.STOPPING:
                self._go(DeploymentState.STOPPED)
        if process is not None:
            _put_down(process, self.connections)

    # --- what the watch uses ---

    @property
    def is_ready(self) -> bool:
        return self.state == DeploymentState.READY

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def status_message(self) -> str:
        """Which engine serves and why, and what else is to be known."""
        more = {DeploymentState.ASLEEP: "Asleep until the next request.", DeploymentState.STARTING: "Starting."}
        if self.state == DeploymentState.FAILED:
            return self._why_ended
        return " ".join(part for part in (self.message, more.get(self.state, "")) if part)

    def look(self) -> None:
        """Each second: ends a process that holds too much memory or that nobody uses, starts one that died."""
        with self._lock:
            process = self._process
            now = time.monotonic()
            if self.state == DeploymentState.READY and process is not None:
                process.trim_log()
                held = process.resident_bytes()
                if held > self._memory_limit:
                    self._why_killed = (
                        f"{self._title} held {megabytes(held)} of memory, more than its limit of"
                        f" {megabytes(self._memory_limit)}, and was ended. Set CLOUDML_PLATFORM_PREDICTOR_MEMORY_MB to"
                        " allow more, or send smaller requests."
                    )
                    process.kill()
                elif not self._under_way and now - self._last_used > self._idle_seconds:
                    self._go(DeploymentState.ASLEEP)
                    self._process = None
                    threading.Thread(target=_put_down, args=(process, self.connections), daemon=True).start()
            elif self.state == DeploymentState.FAILED and self._failures < _MOST_TRIES and now >= self._not_before:
                self.wake()

    # --- the life of a process ---

    def _live(self, waking: Future[None]) -> None:
        try:
            process = self._starter(self._cancelled)
        except Exception as problem:
            with self._lock:
                self._waking = None
                error = self._start_failed(problem)
            waking.set_exception(error)
            return
        with self._lock:
            self._waking = None
            is_wanted = self.state == DeploymentState.STARTING
            if is_wanted:
                self.message = f"{process.engine}: {process.why}" if process.why else process.engine
                self.connections = ConnectionPool(process.socket)
                self._process = process
                self._why_killed = ""
                self._is_refused = False
                self._last_used = time.monotonic()
                self._go(DeploymentState.READY)
        if not is_wanted:
            process.end()
            waking.set_exception(_cancelled())
            return
        waking.set_result(None)
        self._ended(process, process.wait())

    def _ended(self, process: ServingProcess, code: int) -> None:
        with self._lock:
            if self._process is not process or self.state != DeploymentState.READY:
                return
            self._process = None
            long_life = time.monotonic() - process.began > _LONG_LIFE_SECONDS
            self._failures = 1 if long_life else self._failures + 1
            words = process.last_words()
            self._why_ended = self._why_killed or f"{self._title} ended with {ended_with(code)}." + (
                f" Its last lines:\n{words}" if words else ""
            )
            _log.warning("%s", self._why_ended)
            self._fail(self._failures - 1)
            connections = self.connections
        _put_down(process, connections)
        self.look()

    def _start_failed(self, problem: Exception) -> PlatformError:
        if self.state != DeploymentState.STARTING or isinstance(problem, StartCancelledError):
            if self.state == DeploymentState.STARTING:
                self._go(DeploymentState.FAILED)
            return _cancelled()
        if not isinstance(problem, StartError | PlatformError):
            _log.error("%s could not start", self._title, exc_info=problem)
        self._is_refused = isinstance(problem, PlatformError)
        text = problem.message if isinstance(problem, PlatformError) else f"{self._title} cannot start: {problem}"
        self._why_ended = text
        # Another model in place of the pinned one does not go away by trying again.
        self._failures = _MOST_TRIES if self._is_refused else self._failures + 1
        self._fail(self._failures)
        return self._refusal()

    def _fail(self, pauses: int) -> None:
        self._go(DeploymentState.FAILED)
        self._not_before = time.monotonic() + (min(2.0 ** (pauses - 1), _LONGEST_PAUSE) if pauses > 0 else 0.0)

    def _check_rest(self) -> None:
        if self.state in (DeploymentState.STOPPING, DeploymentState.STOPPED):
            raise PlatformError(503, f"{self._title} is being undeployed.", retry_after=1)
        if self.state == DeploymentState.FAILED and time.monotonic() < self._not_before:
            raise self._refusal()

    def _refusal(self) -> PlatformError:
        if self._is_refused:
            return PlatformError(400, self._why_ended, status="FAILED_PRECONDITION")
        rest = max(1, math.ceil(self._not_before - time.monotonic()))
        return PlatformError(503, self._why_ended, retry_after=rest)

    def _go(self, state: DeploymentState) -> None:
        if state not in DEPLOYMENT_TRANSITIONS[self.state]:
            raise RuntimeError(f"{self._title} cannot go from {self.state} to {state}.")
        self.state = state

    @property
    def _title(self) -> str:
        return f"DeployedModel {self.deployment.id} of {self.deployment.endpoint_name}"


def _put_down(process: ServingProcess, connections: ConnectionPool) -> None:
    connections.close()
    process.end()


def _cancelled() -> PlatformError:
    return PlatformError(499, "The operation was cancelled.")
