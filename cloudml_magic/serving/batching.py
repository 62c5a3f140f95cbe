"""Answers together what arrives together: while one batch runs, requests queue, and all of them are the next batch.

There is no timer: a request that comes alone is computed at once. What takes less time than waking a thread is computed
on the loop's own.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from cloudml_magic.serving.engines import Engine, Tensors
from cloudml_magic.serving.refusals import RefusedError

MOST_WAITING_REQUESTS = 512
MOST_WAITING_BYTES = 256 * 1024 * 1024
MOST_BATCH_ROWS = 1024
_RETRY_SECONDS = 1
_LARGE = 64 * 1024
# For so long the loop may keep other requests waiting; waking a thread and being woken by it costs as much.
_QUICK_SECONDS = 0.00015
_MOST_KINDS = 256


@dataclass(slots=True, eq=False)
class _Waiting:
    """A request in the queue. Requests of the same kind can be computed as one."""

    kind: tuple[Any, ...]
    signature: str
    inputs: Tensors
    rows: int
    bytes: int
    most_rows: int
    answer: asyncio.Future[Tensors]


class Batcher:
    """One thread that computes, and the queue before it. `submit` is called on the loop's thread only."""

    def __init__(self, engine: Engine, loop: asyncio.AbstractEventLoop, seen: Callable[[int], None]) -> None:
        self._run = engine.run
        self._batch_bytes = engine.batch_bytes
        self._loop = loop
        self._seen = seen
        # Filled on the loop's thread, emptied on either.
        self._arrived: list[_Waiting] = []
        self._arriving = threading.Lock()
        self._wakes: SimpleQueue[None] = SimpleQueue()
        self._will_wake = False
        self._is_computing = False
        self._row_seconds: dict[tuple[Any, ...], float] = {}
        self._requests = 0
        self._bytes = 0
        self.waiting_rows = 0
        threading.Thread(target=self._work, name="batches", daemon=True).start()

    async def submit(self, signature: str, inputs: Tensors, row_bytes: int | None) -> Tensors:
        """The outputs for one request. `row_bytes` is None where rows cannot be joined with others."""
        size = sum(array.nbytes for array in inputs.values())
        if self._requests >= MOST_WAITING_REQUESTS or (self._requests and self._bytes + size > MOST_WAITING_BYTES):
            raise RefusedError(
                429,
                f"The model has {self._requests} requests to answer already. Send this one again in a moment.",
                retry_seconds=_RETRY_SECONDS,
            )
        rows = _rows(inputs)
        alone = row_bytes is None
        kind = (signature, *((name, array.shape[1:], array.dtype.str) for name, array in inputs.items()))
        most = 0 if row_bytes is None else max(1, min(MOST_BATCH_ROWS, self._batch_bytes // max(1, row_bytes)))
        waiting = _Waiting(
            (object(),) if alone else kind, signature, inputs, rows, size, most, self._loop.create_future()
        )
        self._count(waiting, 1)
        with self._arriving:
            self._arrived.append(waiting)
        self._wake_soon(size)
        try:
            return await waiting.answer
        finally:
            self._count(waiting, -1)

    def _count(self, waiting: _Waiting, by: int) -> None:
        self._requests += by
        self._bytes += by * waiting.bytes
        self.waiting_rows += by * waiting.rows

    def _wake_soon(self, size: int) -> None:
        """Once all that arrived in this turn of the loop is in the queue; at once where reading each takes its time."""
        if size > _LARGE:
            self._wakes.put(None)
        elif not self._will_wake:
            self._will_wake = True
            self._loop.call_soon(self._wake)

    def _wake(self) -> None:
        self._will_wake = False
        if self._is_computing or not self._is_quick():
            self._wakes.put(None)
            return
        for batch in _batches(self._taken()):
            _deliver(batch, self._computed(batch))

    def _is_quick(self) -> bool:
        """Whether what waits will take no longer than waking a thread, by what its kinds took before."""
        with self._arriving:
            waiting = list(self._arrived)
        return sum(self._row_seconds.get(each.kind, 1.0) * each.rows for each in waiting) < _QUICK_SECONDS

    def _work(self) -> None:
        while True:
            self._wakes.get()
            self._is_computing = True
            for batch in _batches(self._taken()):
                self._loop.call_soon_threadsafe(_deliver, batch, self._computed(batch))
            self._is_computing = False

    def _taken(self) -> list[_Waiting]:
        with self._arriving:
            arrived, self._arrived = self._arrived, []
        # Whoever asked may have gone.
        return [waiting for waiting in arrived if not waiting.answer.done()]

    def _computed(self, batch: list[_Waiting]) -> list[Tensors | Exception]:
        rows = sum(waiting.rows for waiting in batch)
        began = time.perf_counter()
        results: list[Tensors | Exception]
        try:
            results = list(self._together(batch)) if len(batch) > 1 else [self._alone(batch[0])]
        except Exception as problem:
            # One of them is at fault: each is computed by itself, so that only that one fails.
            results = [self._result(waiting) for waiting in batch] if len(batch) > 1 else [problem]
        else:
            if len(self._row_seconds) >= _MOST_KINDS:
                self._row_seconds.clear()
            self._row_seconds[batch[0].kind] = (time.perf_counter() - began) / max(1, rows)
        self._seen(rows)
        return results

    def _result(self, waiting: _Waiting) -> Tensors | Exception:
        try:
            return self._alone(waiting)
        except Exception as problem:
            return problem

    def _together(self, batch: Sequence[_Waiting]) -> Iterator[Tensors]:
        import numpy as np

        joined = {name: np.concatenate([each.inputs[name] for each in batch]) for name in batch[0].inputs}
        outputs = self._run(batch[0].signature, joined)
        rows = sum(waiting.rows for waiting in batch)
        if any(array.ndim == 0 or len(array) != rows for array in outputs.values()):
            raise ValueError("An output of the model has no row per instance.")
        first = 0
        for waiting in batch:
            yield {name: array[first : first + waiting.rows] for name, array in outputs.items()}
            first += waiting.rows

    def _alone(self, waiting: _Waiting) -> Tensors:
        """Computes one request, in pieces where it has more rows than memory should hold at once."""
        import numpy as np

        if not waiting.most_rows or waiting.rows <= waiting.most_rows:
            return self._run(waiting.signature, waiting.inputs)
        pieces = [
            self._run(
                waiting.signature,
                {name: array[first : first + waiting.most_rows] for name, array in waiting.inputs.items()},
            )
            for first in range(0, waiting.rows, waiting.most_rows)
        ]
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def _deliver(batch: Sequence[_Waiting], results: Sequence[Tensors | Exception]) -> None:
    for waiting, result in zip(batch, results, strict=True):
        if waiting.answer.done():
            continue
        if isinstance(result, Exception):
            waiting.answer.set_exception(result)
        else:
            waiting.answer.set_result(result)


def _batches(arrived: Sequence[_Waiting]) -> Iterator[list[_Waiting]]:
    """Requests of one kind together, in the order of arrival, none larger than its kind allows."""
    groups: dict[tuple[Any, ...], list[_Waiting]] = {}
    for waiting in arrived:
        groups.setdefault(waiting.kind, []).append(waiting)
    for group in groups.values():
        batch: list[_Waiting] = []
        rows = 0
        for waiting in group:
            if batch and rows + waiting.rows > waiting.most_rows:
                yield batch
                batch, rows = [], 0
            batch.append(waiting)
            rows += waiting.rows
        yield batch


def _rows(inputs: Tensors) -> int:
    array = next(iter(inputs.values()), None)
    return len(array) if array is not None and array.ndim else 1
