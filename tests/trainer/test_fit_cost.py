"""What live reporting costs: a few microseconds per batch, and no look at the metrics that nobody asked for."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from cloudml_magic.trainer import fit_reports
from cloudml_magic.trainer.fit_reports import FitReports


class CallbackList:
    """What Keras's own list offers, without Keras."""

    def __init__(self, callbacks: Any = None, **params: Any) -> None:
        self.params = params
        self.model = SimpleNamespace(name="m")

    def _nothing(self, *arguments: Any) -> None:
        pass

    on_train_begin = on_epoch_begin = on_train_batch_end = on_epoch_end = _nothing
    on_train_end = on_test_batch_end = on_test_end = _nothing


class Costly:
    """A metric on a device: reading it is what must not happen at each batch."""

    reads = 0

    def __float__(self) -> float:
        Costly.reads += 1
        return 1.0


def test_a_batch_costs_little_and_metrics_are_read_five_times_a_second_at_most() -> None:
    """Well under 50 µs per batch; as many reads as reports."""

    class Watched(CallbackList):
        pass

    for name in fit_reports._WATCHED:
        setattr(Watched, name, getattr(CallbackList, name))
    reports = FitReports(None)
    reports._watch(SimpleNamespace(callbacks=SimpleNamespace(CallbackList=Watched)))  # type: ignore[arg-type]
    watched, plain, logs = Watched(epochs=1, steps=None), CallbackList(), {"loss": Costly()}
    watched.on_train_begin()
    watched.on_epoch_begin(0)

    def seconds(callbacks: Any, count: int = 100_000) -> float:
        began = time.perf_counter()
        for batch in range(count):
            callbacks.on_train_batch_end(batch, logs)
        return (time.perf_counter() - began) / count

    began = time.monotonic()
    extra = min(seconds(watched) for _ in range(3)) - min(seconds(plain) for _ in range(3))
    assert extra < 20e-6
    assert Costly.reads <= (time.monotonic() - began) / fit_reports.SECONDS_BETWEEN_STEPS + 1
