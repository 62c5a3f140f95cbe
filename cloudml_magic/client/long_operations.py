"""What takes its time: begun once, waited for, cancelled, and lists that come in pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

from cloudml_magic.client.calls import Caller, LostReplyError
from cloudml_magic.dialects.call import Call
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Endpoint, ModelVersion, OperationSnapshot
from cloudml_magic.wording import duration

_POLL_SECONDS = (0.05, 1.0)
_CANCELLED = 1
_SUBMIT_ATTEMPTS = 6
_LONGEST_DEPLOYMENT = 600.0
_LONGEST_OPERATION = 3600.0
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
        """Waits until an operation has ended; raises if it failed, or takes longer than anything should."""
        try:
            ended = awaited_operation(operation, self._now, longest=_LONGEST_OPERATION, on_stage=on_stage)
        except KeyboardInterrupt:
            if cancel_on_interrupt:
                self._caller.perform(self._dialect.cancel_operation(operation.name))
                # Until it has let go of what it held.
                awaited_operation(operation, self._now, longest=_LONGEST_CANCELLING)
            raise
        if not ended.done:
            raise _unfinished()
        if ended.error is not None:
            raise _failed(ended)
        return ended

    def _now(self, name: str) -> OperationSnapshot:
        return self._dialect.read_operation(self._caller.perform(self._dialect.get_operation(name)))

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


def awaited_operation(
    operation: OperationSnapshot,
    look: Callable[[str], OperationSnapshot],
    *,
    longest: float,
    on_stage: OnStage | None = None,
) -> OperationSnapshot:
    """An operation when it has ended, looked at by its name; as it stands then, if the longest time is over before."""
    pause, longest_pause = _POLL_SECONDS
    deadline = time.monotonic() + longest
    while not operation.done and time.monotonic() < deadline:
        if on_stage and operation.stage:
            on_stage(operation.stage)
        time.sleep(pause)
        pause = min(pause * 1.5, longest_pause)
        operation = look(operation.name)
    return operation


def _unfinished() -> CloudMLError:
    return CloudMLError(
        "operation-unfinished",
        "The platform has not done what was asked.",
        why=f"It has been at it for {duration(_LONGEST_OPERATION)}.",
        next="It may still do it: `%ml_models` shows what there is. If nothing comes, run the cell again.",
    )


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
