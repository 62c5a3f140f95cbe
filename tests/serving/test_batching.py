"""Requests that wait are computed together; a bad one fails alone; a full queue says when to come back."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

from cloudml_magic.serving import batching
from cloudml_magic.serving.batching import Batcher
from cloudml_magic.serving.engines import ModelRefusedError, Tensors
from cloudml_magic.serving.refusals import RefusedError
from tests.long_counts import count


class Doubling:
    """An engine that doubles, refuses negative numbers, and waits at its gate."""

    name, why, batch_bytes = "doubling", "", 64

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.started = threading.Event()
        self.batches: list[int] = []

    def answers(self, signature: str) -> bool:
        return True

    def run(self, signature: str, inputs: Tensors) -> Tensors:
        self.started.set()
        self.gate.wait(10)
        self.batches.append(len(inputs["x"]))
        if (inputs["x"] < 0).any():
            raise ModelRefusedError("negative")
        return {"y": inputs["x"] * 2}


def rows(*values: float) -> Tensors:
    return {"x": np.array(values, np.float64)[:, None]}


def answers(*requests: Tensors, engine: Doubling | None = None) -> tuple[list[Any], list[int]]:
    """Sends the first request, and the others once it is being computed; what came of each, and the batches."""
    engine = engine or Doubling()

    async def ask() -> list[Any]:
        batcher = Batcher(engine, asyncio.get_running_loop(), lambda rows: None)
        first = asyncio.ensure_future(batcher.submit("s", requests[0], 8))
        await asyncio.to_thread(engine.started.wait, 10)
        others = [asyncio.ensure_future(batcher.submit("s", each, 8)) for each in requests[1:]]
        await asyncio.sleep(0)
        assert batcher.waiting_rows > len(requests[0]["x"])
        engine.gate.set()
        found = await asyncio.gather(first, *others, return_exceptions=True)
        assert batcher.waiting_rows == 0
        return found

    found = asyncio.run(ask())
    return [each["y"][:, 0].tolist() if isinstance(each, dict) else each for each in found], engine.batches


def test_what_waits_while_one_is_computed_is_the_next_batch() -> None:
    found, batches = answers(rows(1), rows(2), rows(3, 4), rows(5))
    assert found == [[2], [4], [6, 8], [10]]
    assert batches == [1, 4]


def test_a_bad_request_fails_alone() -> None:
    found, _ = answers(rows(1), rows(2), rows(-3), rows(4))
    assert found[0::3] == [[2], [8]] and found[1] == [4]
    assert isinstance(found[2], ModelRefusedError)


def test_batches_and_long_requests_are_kept_to_what_an_engine_computes_at_once() -> None:
    found, batches = answers(rows(*range(20)), rows(*range(5)), rows(*range(5)))
    assert found == [[2 * number for number in range(20)], [0, 2, 4, 6, 8], [0, 2, 4, 6, 8]]
    assert batches == [8, 8, 4, 5, 5]


def test_shapes_that_differ_are_not_joined() -> None:
    wide = {"x": np.ones((2, 3))}
    found, batches = answers(rows(1), wide, rows(2), wide)
    assert found == [[2], [2, 2], [4], [2, 2]]
    assert sorted(batches[1:]) == [1, 4]


def test_a_full_queue_says_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "MOST_WAITING_REQUESTS", 2)
    found, _ = answers(rows(1), rows(2), rows(3))
    assert found[:2] == [[2], [4]]
    refused = found[2]
    assert isinstance(refused, RefusedError)
    assert (refused.status, refused.retry_seconds) == (429, 1)
    assert refused.text == "The model has 2 requests to answer already. Send this one again in a moment."


def test_a_quick_model_is_computed_without_waking_a_thread() -> None:
    """Its first call shows how quick it is; after that the loop computes it, still all that waits together."""

    class Threads(Doubling):
        def __init__(self) -> None:
            super().__init__()
            self.gate.set()
            self.names: list[str] = []

        def run(self, signature: str, inputs: Tensors) -> Tensors:
            self.names.append(threading.current_thread().name)
            return super().run(signature, inputs)

    engine = Threads()

    async def ask() -> list[Any]:
        batcher = Batcher(engine, asyncio.get_running_loop(), lambda rows: None)
        for _ in range(50):
            await batcher.submit("s", rows(1), 8)
        engine.batches.clear()
        return await asyncio.gather(*(batcher.submit("s", rows(number), 8) for number in range(4)))

    found = asyncio.run(ask())
    assert [each["y"][0, 0] for each in found] == [0, 2, 4, 6]
    assert engine.batches == [4]
    assert engine.names[0] == "batches"
    assert engine.names[-1] == threading.current_thread().name


def test_a_slow_model_never_holds_the_loop_up() -> None:
    """What takes longer than waking a thread is left to the thread."""

    class Slow(Doubling):
        def run(self, signature: str, inputs: Tensors) -> Tensors:
            assert threading.current_thread().name == "batches"
            time.sleep(0.002)
            self.gate.set()
            return super().run(signature, inputs)

    async def ask() -> list[Any]:
        batcher = Batcher(Slow(), asyncio.get_running_loop(), lambda rows: None)
        return [await batcher.submit("s", rows(number), 8) for number in range(10)]

    assert len(asyncio.run(ask())) == 10


def test_two_threads_empty_the_queue_and_no_request_is_lost() -> None:
    """Quick and large requests at once, while the interpreter changes threads as often as it can."""
    engine = Doubling()
    engine.gate.set()
    large = rows(*range(10_000))
    times = count(4000, 100)

    async def client(batcher: Batcher, request: Tensors, times: int) -> int:
        right = 0
        for _ in range(times):
            found = await batcher.submit("s", request, 8)
            right += bool((found["y"] == request["x"] * 2).all())
        return right

    async def ask() -> list[int]:
        batcher = Batcher(engine, asyncio.get_running_loop(), lambda rows: None)
        small = [client(batcher, rows(float(number)), times) for number in range(64)]
        return await asyncio.wait_for(
            asyncio.gather(*small, *(client(batcher, large, times // 4) for _ in range(3))), 60
        )

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        assert asyncio.run(ask()) == [times] * 64 + [times // 4] * 3
    finally:
        sys.setswitchinterval(before)
