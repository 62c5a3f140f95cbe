"""What takes its time: begun once, waited for, cancelled, and lists that come in pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

from cloudml_magic.client.calls import Caller, LostReplyError
from cloudml_magic.dialects.call import Call
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Endpoint, ModelVersion, OperationSnapshot

_POLL_SECONDS = (0.05, 1.0)
_CANCELLED = 1
_SUBMIT_ATTEMPTS = 6
_LONGEST_DEPLOYMENT = 600.0
_LONGEST_CANCELLING = 20.0

OnStage = Callable[[str], None]
Found = TypeVar("Found", ModelVersion, Endpoint)


class OperationDialect(Protocol):
    """How an API speaks of its operations."""

    def get_operation(self, name: str) -> Call: ...
    def cancel_operation(self, name: str) -> Call: ...
    def read_operation(self, body: Mapping[str, Any]) -> OperationSnapshot: ...


class LongOperations:
    """The operations of one API at one place."""

    def __init__(self, caller: Caller, dialect: OperationDialect) -> None:
        self._caller = caller
        self._dialect = dialect

    def wait(
        self, operation: OperationSnapshot, on_stage: OnStage | None = None, *, cancel_on_interrupt: bool = False
    ) -> OperationSnapshot:
        """Waits until an operation has ended; raises if it failed."""
        pause, longest = _POLL_SECONDS
        try:
            while not operation.done:
                if on_stage and operation.stage:
                    on_stage(operation.stage)
                time.sleep(pause)
                pause = min(pause * 1.5, longest)
                operation = self._dialect.read_operation(
                    self._caller.perform(self._dialect.get_operation(operation.name))
                )
        except KeyboardInterrupt:
            if cancel_on_interrupt:
                self._caller.perform(self._dialect.cancel_operation(operation.name))
                self._ended(operation)
            raise
        if operation.error is not None:
            raise _failed(operation)
        return operation

    def _now(self, operation: OperationSnapshot) -> OperationSnapshot:
        answer = self._caller.perform(self._dialect.get_operation(operation.name))
        return self._dialect.read_operation(answer)

    def _ended(self, operation: OperationSnapshot) -> None:
        """Waits until an operation that was cancelled has let go of what it held."""
        deadline = time.monotonic() + _LONGEST_CANCELLING
        while not operation.done and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS[0])
            operation = self._now(operation)

    def _submit(self, call: Call, find: Callable[[], Found | None]) -> OperationSnapshot | Found:
        """Begins what must not begin twice: after a lost answer its outcome is looked for before it is sent again."""
        last: LostReplyError | None = None
        for attempt in range(_SUBMIT_ATTEMPTS):
            try:
                return self._dialect.read_operation(self._caller.once(call, search_again=last is not None))
            except LostReplyError as lost:
                last = lost
            except CloudMLError:
                # Refused, since what is under way has its name already: it is what we asked for.
                if last is None or (found := self._awaited(find)) is None:
                    raise
                return found
            time.sleep(_POLL_SECONDS[0] * 2**attempt)
            if (found := find()) is not None:
                return found
        raise last.error if last else AssertionError("at least one attempt is made")

    def _awaited(self, find: Callable[[], Found | None]) -> Found | None:
        """What is found within the longest time that a deployment may take."""
        deadline = time.monotonic() + _LONGEST_DEPLOYMENT
        while (found := find()) is None and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS[1])
        return found

    def _finish(self, call: Call) -> None:
        """Performs a call that takes something away; what is gone already is no error."""
        try:
            self.wait(self._dialect.read_operation(self._caller.perform(call)))
        except CloudMLError as error:
            if error.reference != "not-found":
                raise

    def _pages(self, page: Callable[[str | None], Call], read: Callable[[Mapping[str, Any]], Any]) -> Iterator[Any]:
        token: str | None = None
        while True:
            found, token = read(self._caller.perform(page(token)))
            yield from found
            if token is None:
                return


def _failed(operation: OperationSnapshot) -> CloudMLError:
    if operation.error_code == _CANCELLED:
        return CloudMLError(
            "deploy-cancelled",
            "The deployment was cancelled.",
            next="Nothing was changed. Run the cell again to deploy.",
        )
    return CloudMLError(
        "operation-failed",
        "The platform could not do what was asked.",
        why=operation.error or "",
        next="Mend what the message names and run the cell again; `cloudml platform logs` may tell more.",
    )
