"""Deployments and undeployments that go on in the background; each stage is pushed, the latest ones are remembered."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.server_extension.pushes import OPERATION
from cloudml_magic.server_extension.refusals import parts_of
from cloudml_magic.server_extension.workers import Workers

_AT_ONCE = 4
_MOST = 100
_MOST_UNDONE = 20
_FIELDS = ("id", "kind", "title", "job", "done", "stage", "error", "result")
OnStage = Callable[[str], None]
Work = Callable[[OnStage], dict[str, str] | None]


@dataclass(slots=True)
class Operation:
    """How one stands; `job` is whose model it deploys, `result` names what is deployed, `error` says why nothing is."""

    id: str
    kind: str
    title: str
    job: str | None = None
    done: bool = False
    stage: str = ""
    error: dict[str, str] | None = None
    result: dict[str, str] | None = None

    def document(self) -> dict[str, Any]:
        """As the routes answer it."""
        return {name: getattr(self, name) for name in _FIELDS}


class Operations:
    """The operations of this server; those that have ended make room for new ones."""

    def __init__(self, session: str, send: Callable[[str, dict[str, Any]], None], log: Any) -> None:
        self._session = session
        self._send = send
        self._log = log
        self._lock = threading.Lock()
        self._held: OrderedDict[str, Operation] = OrderedDict()
        self._workers = Workers(_AT_ONCE, "cloudml-operation")

    def begin(self, kind: str, title: str, work: Work, job: str | None = None) -> dict[str, Any]:
        """Starts work in a thread; returns how it stands."""
        operation = Operation(secrets.token_hex(8), kind, title, job)
        with self._lock:
            if sum(not held.done for held in self._held.values()) >= _MOST_UNDONE:
                raise CloudMLError(
                    "busy",
                    "Too many deployments go on at once.",
                    why=f"{_MOST_UNDONE} have not ended.",
                    next="Wait until one of them has ended.",
                )
            self._held[operation.id] = operation
            for ended in [held.id for held in self._held.values() if held.done][: max(0, len(self._held) - _MOST)]:
                del self._held[ended]
            document = operation.document()
        self._workers.submit(lambda: self._work(operation, work))
        return document

    def go_on(self) -> bool:
        """Whether any has not ended."""
        with self._lock:
            return any(not held.done for held in self._held.values())

    def document(self, identifier: str) -> dict[str, Any]:
        """How an operation stands."""
        with self._lock:
            operation = self._held.get(identifier)
            if operation is not None:
                return operation.document()
        raise CloudMLError(
            "unknown-operation",
            "There is no such operation.",
            why="It ended long ago, or the Jupyter server was restarted since; what it began on the platform goes on.",
            next="The list of models shows what is deployed.",
        )

    def _work(self, operation: Operation, work: Work) -> None:
        def on_stage(stage: str) -> None:
            if stage != operation.stage:
                self._change(operation, stage=stage)

        try:
            self._change(operation, done=True, stage="", result=work(on_stage))
        except CloudMLError as error:
            self._change(operation, done=True, error=parts_of(error))
        except Exception as problem:
            self._log.error("A background operation failed.", exc_info=problem)
            fault = CloudMLError(
                "server-fault",
                f"{operation.title} failed for a reason that is none of yours.",
                why=type(problem).__name__,
                next="The log of the Jupyter server holds the details.",
            )
            self._change(operation, done=True, error=parts_of(fault))

    def _change(self, operation: Operation, **values: Any) -> None:
        with self._lock:
            for name, value in values.items():
                setattr(operation, name, value)
            self._send(OPERATION, {"session": self._session, "operation": operation.document()})
