"""A bounded number of threads for calls that block, so that the event loop never does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")
_Call = tuple[Callable[[], Any], "Future[Any]"]


class Workers:
    """Daemon threads, made when they are needed: a server that stops does not wait for a call to the cloud."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._calls: SimpleQueue[_Call] = SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0
        self._idle = 0

    def submit(self, function: Callable[[], Result]) -> Future[Result]:
        """Runs a function as soon as a thread is free."""
        future: Future[Result] = Future()
        with self._lock:
            if self._idle:
                self._idle -= 1
            elif self._started < self._most:
                self._started += 1
                name = f"{self._name}-{self._started}"
                threading.Thread(target=self._work, name=name, daemon=True).start()
            self._calls.put((function, future))
        return future

    async def run(self, function: Callable[[], Result]) -> Result:
        """Awaits what a function returns or raises."""
        return await asyncio.wrap_future(self.submit(function))

    def _work(self) -> None:
        while True:
            function, future = self._calls.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function())
                except BaseException as problem:
                    future.set_exception(problem)
            del function, future
            with self._lock:
                self._idle += self._calls.empty()
