"""Reports every `fit` without a callback of the user's: it watches Keras's own list of callbacks.

A callback of ours would make Keras convert the metrics of each batch (a wait for the device); watching the list does
not, so metrics are read only when a report is due.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from .checkpoints import Checkpoints, FitState, plain_history
from .import_hook import when_imported
from .reporting import EventFile, epoch_line, metric_line, number, warn_of_nonfinite
from .stopping import stop

SECONDS_BETWEEN_STEPS = 0.2
Row = dict[str, Any]


class FitReports:
    """What was trained so far: the model trained last and one row per epoch, over all fits."""

    def __init__(
        self,
        events: EventFile | None,
        on_first_fit: Callable[[], None] = lambda: None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self.rows: list[Row] = []
        self.model: Any = None
        self.on_epoch: Callable[[int, dict[str, float]], None] | None = None
        self._events = events
        self._on_first_fit = on_first_fit
        self._checkpoints = checkpoints
        self._fits = 0

    def install(self) -> None:
        """Watches Keras, and its older self under its own name, as soon as they are imported."""
        when_imported("keras", self._watch)
        when_imported("tf_keras", self._watch)

    def begin(self, callbacks: Any) -> _Fit:
        """A `fit` starts."""
        self._fits += 1
        self.model = getattr(callbacks, "model", None) or getattr(callbacks, "_model", None)
        if self._fits == 1:
            self._on_first_fit()
        params = getattr(callbacks, "params", None) or {}
        fit = _Fit(self._fits, int(params.get("epochs") or 1), params.get("steps"))
        told = {"epochs": fit.epochs, "steps": fit.steps, "model": _name(self.model)}
        if self._checkpoints is not None and hasattr(self.model, "_initial_epoch"):
            fit.restored = self._checkpoints.restore(fit.number, self.model, fit.epochs)
        if fit.restored is not None:
            told["done"] = fit.restored.epoch
            self.rows += fit.restored.rows
        self._write("fit", urgent=True, fit=fit.number, **told)
        return fit

    def resume(self, fit: _Fit, callbacks: Any) -> None:
        """The history goes on where it was, after Keras has begun a new one."""
        history = getattr(callbacks, "_history", None)
        if fit.restored is not None and history is not None:
            history.history = fit.restored.history
            history.epoch = list(range(fit.restored.epoch))

    def keep(self, fit: _Fit, callbacks: Any, *, finished: bool) -> None:
        """A checkpoint after an epoch, or of a `fit` that has ended; of one that was only skipped there is one."""
        if self._checkpoints is None or not hasattr(self.model, "_initial_epoch"):
            return
        if not self._checkpoints.is_wanted(fit.number, finished) or (fit.restored and fit.restored.finished):
            return
        rows = [row for row in self.rows if row["fit"] == fit.number]
        history = plain_history(getattr(callbacks, "_history", None))
        done = rows[-1]["epoch"] if rows else 0
        self._checkpoints.keep(fit.number, self.model, FitState(done, finished, None, history, rows))

    def step(self, fit: _Fit, now: float, logs: Any) -> None:
        """A report of the running epoch is due."""
        fit.next_report = now + SECONDS_BETWEEN_STEPS
        self._write("step", **fit.place(), step=fit.step, steps=fit.steps, metrics=_numbers(logs))

    def epoch(self, fit: _Fit, callbacks: Any, epoch: int, logs: Any) -> None:
        """An epoch is over."""
        seconds = time.monotonic() - fit.epoch_began
        metrics = _from_history(callbacks, epoch) or _numbers(logs)
        fit.steps = fit.steps or fit.step
        if getattr(callbacks, "cloudml_quiet", False):
            # In place of the bar that a terminal would have; an explicit `verbose` is the user's word.
            print(epoch_line(epoch + 1, fit.epochs, fit.step, fit.steps, seconds, metrics), flush=True)
        self._write("epoch", urgent=True, **fit.place(), seconds=round(seconds, 6), metrics=metrics)
        self.rows.append({"fit": fit.number, "epoch": epoch + 1, "seconds": round(seconds, 6), **metrics})
        warn_of_nonfinite(metrics, f"epoch {epoch + 1}")
        if self.on_epoch is not None:
            self.on_epoch(len(self.rows) - 1, metrics)

    def _write(self, kind: str, **fields: Any) -> None:
        if self._events is not None:
            self._events.write(kind, **fields)

    def _watch(self, keras: ModuleType) -> None:
        _watch_callback_list(keras.callbacks.CallbackList, self)


class _Fit:
    """Where one `fit` stands."""

    __slots__ = ("epoch", "epoch_began", "epochs", "next_report", "number", "restored", "step", "steps")

    def __init__(self, number: int, epochs: int, steps: int | None) -> None:
        self.number = number
        self.epochs = epochs
        self.steps = steps
        self.restored: FitState | None = None
        self.epoch = 1
        self.step = 0
        self.epoch_began = time.monotonic()
        self.next_report = self.epoch_began + SECONDS_BETWEEN_STEPS

    def place(self) -> dict[str, int]:
        return {"fit": self.number, "epoch": self.epoch, "epochs": self.epochs}


def _watch_callback_list(watched: Any, reports: FitReports) -> None:
    first = {name: getattr(watched, name) for name in _WATCHED}
    monotonic = time.monotonic

    def __init__(self: Any, callbacks: Any = None, *args: Any, **params: Any) -> None:  # noqa: N807
        # A progress bar without a terminal is megabytes of control characters; a line per epoch replaces it.
        self.cloudml_quiet = params.get("verbose") == "auto" and not sys.stdout.isatty()
        if self.cloudml_quiet:
            params |= {"verbose": 0, "add_progbar": False}
        first["__init__"](self, callbacks, *args, **params)

    def on_train_begin(self: Any, logs: Any = None) -> None:
        fit = self.cloudml_fit = reports.begin(self)
        first["on_train_begin"](self, logs)
        reports.resume(fit, self)

    def on_epoch_begin(self: Any, epoch: int, logs: Any = None) -> None:
        fit = self.cloudml_fit
        if fit is not None:
            fit.epoch, fit.step, fit.epoch_began = epoch + 1, 0, monotonic()
        first["on_epoch_begin"](self, epoch, logs)

    on_batch = first["on_train_batch_end"]

    def on_train_batch_end(self: Any, batch: int, logs: Any = None) -> None:
        on_batch(self, batch, logs)
        if stop.asked:
            stop.check()
        fit = self.cloudml_fit
        if fit is not None:
            fit.step = batch + 1
            now = monotonic()
            if now > fit.next_report:
                reports.step(fit, now, logs)

    def on_epoch_end(self: Any, epoch: int, logs: Any = None) -> None:
        first["on_epoch_end"](self, epoch, logs)
        if self.cloudml_fit is not None:
            reports.epoch(self.cloudml_fit, self, epoch, logs)
            reports.keep(self.cloudml_fit, self, finished=False)
        stop.check()

    def on_train_end(self: Any, logs: Any = None) -> None:
        first["on_train_end"](self, logs)
        if self.cloudml_fit is not None:
            reports.keep(self.cloudml_fit, self, finished=True)

    def on_test_batch_end(self: Any, batch: int, logs: Any = None) -> None:
        first["on_test_batch_end"](self, batch, logs)
        stop.check()

    def on_test_end(self: Any, logs: Any = None) -> None:
        first["on_test_end"](self, logs)
        if self.cloudml_quiet and self.cloudml_fit is None:
            print(metric_line("Evaluation", _numbers(logs)), flush=True)

    watched.cloudml_fit = None
    for name, function in locals().copy().items():
        if name in first:
            setattr(watched, name, function)


_WATCHED = (
    "__init__",
    "on_train_begin",
    "on_epoch_begin",
    "on_train_batch_end",
    "on_epoch_end",
    "on_train_end",
    "on_test_batch_end",
    "on_test_end",
)


def _from_history(callbacks: Any, epoch: int) -> dict[str, float]:
    # The history also holds what other callbacks added, such as a learning rate.
    history = getattr(callbacks, "_history", None)
    if history is None or not history.epoch or history.epoch[-1] != epoch:
        return {}
    return _numbers({name: values[-1] for name, values in history.history.items() if len(values) == len(history.epoch)})


def _numbers(logs: Any) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in (logs or {}).items():
        if isinstance(value, dict):
            found |= _numbers(value)
            continue
        try:
            found[str(name)] = number(value)
        except TypeError:
            continue
    return found


def _name(model: Any) -> str | None:
    name = getattr(model, "name", None)
    return name if isinstance(name, str) else None
