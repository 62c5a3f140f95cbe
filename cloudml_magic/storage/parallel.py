"""Does something to many things, several at a time, without ever holding all of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from cloudml_magic.errors import CloudMLError

# More connections make a bucket's commits larger, until they only take the processor from each other.
WORKERS = 16
_AHEAD = 4
_TICK_SECONDS = 0.2
Thing = TypeVar("Thing")
Result = TypeVar("Result")


class StoppedError(Exception):
    """Whoever waited for it does not any more."""


def in_parallel(
    act: Callable[[Thing], Result], things: Iterable[Thing], workers: int, tick: Callable[[], None]
) -> Iterator[tuple[Thing, Result | CloudMLError]]:
    """Each thing when it is done, in order, with what came of it, or why nothing did.

    An interrupt ends what has not begun. `tick` is called five times a second while nothing ends.
    """
    waiting: deque[tuple[Thing, Future[Any]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="storage")
    try:
        for thing in things:
            waiting.append((thing, pool.submit(copy_context().run, act, thing)))
            if len(waiting) >= workers * _AHEAD:
                yield _ended(waiting, tick)
        while waiting:
            yield _ended(waiting, tick)
    finally:
        # Whoever interrupts does not wait for a request that hangs.
        pool.shutdown(wait=False, cancel_futures=True)


def _ended(waiting: deque[tuple[Thing, Future[Any]]], tick: Callable[[], None]) -> tuple[Thing, Any]:
    thing, future = waiting.popleft()
    while True:
        try:
            return thing, future.result(timeout=_TICK_SECONDS)
        except TimeoutError:
            if not future.done():
                tick()
                continue
            raise
        except CloudMLError as problem:
            return thing, problem
