"""Watches both ends of the wire in this process: each request of our client, and each JSON answer of a platform."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cloudml_magic.client.calls import Caller
from cloudml_magic.local_platform.platform import LocalPlatform
from cloudml_magic.local_platform.wire import Request, Response

from .against_documents import matched, wrong_with_answer, wrong_with_call


@dataclass
class Wire:
    """What went over the wire: methods that were called, what answered by path and by pattern, and what was wrong."""

    called: set[str] = field(default_factory=set)
    answered: set[tuple[str, str]] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def note_answer(self, request: Request, response: Response) -> None:
        """Holds an answer against the documents, and remembers what succeeded."""
        found = matched(request.verb, request.path)
        # A resumable upload that is given up is answered with 499.
        if response.status < 400 or response.status == 499:
            self.answered.add((request.verb, request.path))
            self.answered |= {(request.verb, match.method.path) for _, match in found}
        is_json = response.headers.get("content-type", "").startswith("application/json")
        is_whole = response.stream is None and response.file is None
        # The answer to rawPredict is the serving process's own.
        if is_json and is_whole and not request.path.endswith(":rawPredict"):
            self.wrong += wrong_with_answer(request.verb, request.path, response.status, response.body)


@contextmanager
def watched() -> Iterator[Wire]:
    """While it lasts, everything that goes over the wire in this process is looked at."""
    wire = Wire()
    request, handle, predict = Caller._request, LocalPlatform.handle, LocalPlatform.predict

    @functools.wraps(request)
    def requested(self: Caller, access: Any, call: Any) -> Any:
        wire.called.add(call.method)
        wire.wrong += wrong_with_call(call)
        return request(self, access, call)

    @functools.wraps(handle)
    def handled(self: LocalPlatform, sent: Request) -> Response:
        response = handle(self, sent)
        wire.note_answer(sent, response)
        return response

    @functools.wraps(predict)
    async def predicted(self: LocalPlatform, found: Any, sent: Request, *, keep: bool = True) -> Response:
        response = await predict(self, found, sent, keep=keep)
        wire.note_answer(sent, response)
        return response

    Caller._request, LocalPlatform.handle, LocalPlatform.predict = requested, handled, predicted  # type: ignore[method-assign]
    try:
        yield wire
    finally:
        Caller._request, LocalPlatform.handle, LocalPlatform.predict = request, handle, predict  # type: ignore[method-assign]
