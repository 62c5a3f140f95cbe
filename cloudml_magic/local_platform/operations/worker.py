"""Does the work of operations in threads of its own, so that each is answered at once and finished later."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.resources.operations import Operations, Work, typed
from cloudml_magic.local_platform.trouble import translated

_THREADS = 8
_RETRY_SECONDS = 1.0
_CODES = {
    "CANCELLED": 1, "INVALID_ARGUMENT": 3, "DEADLINE_EXCEEDED": 4, "NOT_FOUND": 5, "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7, "RESOURCE_EXHAUSTED": 8, "FAILED_PRECONDITION": 9, "ABORTED": 10, "UNIMPLEMENTED": 12,
    "INTERNAL": 13, "UNAVAILABLE": 14,
}  # fmt: skip

_log = logging.getLogger("cloudml_magic.local_platform")


class Progress:
    """How a piece of work tells its operation how far it is, and learns that nobody wants it any more."""

    def __init__(self, operations: Operations, work: Work, closing: threading.Event) -> None:
        self.closing = closing
        self._operations = operations
        self._id = work.operation
        self.cancelled = threading.Event()
        if work.cancelled:
            self.cancelled.set()

    def tell(self, **metadata: Any) -> None:
        """Adds to the operation's metadata; raises if the operation was cancelled."""
        self.check()
        self._operations.tell(self._id, **metadata)

    def check(self) -> None:
        if self.cancelled.is_set():
            raise cancelled()

    def finish(self, response: Mapping[str, Any], **metadata: Any) -> None:
        """Ends the operation well; called in the transaction that changes what the operation is about."""
        self._operations.finish(self._id, response, **metadata)

    def fail(self, problem: PlatformError, **metadata: Any) -> None:
        self._operations.fail(self._id, code_of(problem), problem.message, **metadata)


Performer = Callable[[Work, Progress], None]
"""Does one piece of work and finishes its operation; raises PlatformError, or lets the worker say what went wrong."""
LastMetadata = Callable[[str, PlatformError], Mapping[str, Any]]
"""What the operation of a kind of work says of itself when it failed."""


def code_of(problem: PlatformError) -> int:
    """The number by which a Status says what went wrong."""
    return _CODES.get(problem.status, 2)


def cancelled() -> PlatformError:
    """The end of an operation that its owner cancelled."""
    return PlatformError(499, "The operation was cancelled.")


class OperationWorker:
    """Takes work, one thread each up to a number, and sees to it that each operation ends."""

    def __init__(
        self, operations: Operations, performers: Mapping[str, Performer], last_metadata: LastMetadata
    ) -> None:
        self._operations = operations
        self._last_metadata = last_metadata
        self._performers = performers
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="operation")
        self._lock = threading.Lock()
        self._under_way: dict[str, Progress] = {}
        self._closing = threading.Event()

    def start(self) -> None:
        """Takes up what an earlier platform left undone."""
        for work in self._operations.unfinished():
            if work.operation not in self._under_way:
                self._submit(work)

    def begin(
        self,
        kind: str,
        location: str,
        parent: str,
        metadata: tuple[str, Mapping[str, Any]],
        arguments: Mapping[str, Any],
        id: str | None = None,
    ) -> dict[str, Any]:
        """Keeps an operation, lets its work begin, and returns how it stands: not done."""
        body = self._operations.begin(kind, location, parent, typed(*metadata), arguments, id)
        work = self._operations.work(body["name"].rpartition("/")[2])
        if work is not None:
            self._submit(work)
        return body

    def cancel(self, id: str) -> None:
        """Asks the work of an operation to stop; it may be too late."""
        self._operations.cancel(id)
        with self._lock:
            progress = self._under_way.get(id)
        if progress is not None:
            progress.cancelled.set()

    def close(self) -> None:
        """Lets the work that is under way go; the next platform takes it up."""
        self._closing.set()
        with self._lock:
            under_way = list(self._under_way.values())
        for progress in under_way:
            progress.cancelled.set()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _submit(self, work: Work) -> None:
        progress = Progress(self._operations, work, self._closing)
        with self._lock:
            self._under_way[work.operation] = progress
        self._threads.submit(self._perform, work, progress)

    def _perform(self, work: Work, progress: Progress) -> None:
        try:
            if not self._closing.is_set():
                self._performers[work.kind](work, progress)
        except Exception as problem:
            # What a closing platform breaks off is no failure: its work is taken up again.
            if not self._closing.is_set():
                self._record(work.kind, progress, translated(problem))
        finally:
            with self._lock:
                self._under_way.pop(work.operation, None)

    def _record(self, kind: str, progress: Progress, problem: PlatformError) -> None:
        while True:
            try:
                return progress.fail(problem, **self._last_metadata(kind, problem))
            except (sqlite3.Error, OSError) as trouble:
                _log.error("an operation's end cannot be recorded yet: %s", trouble)
                if self._closing.wait(_RETRY_SECONDS):
                    return
