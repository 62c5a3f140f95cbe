"""Lets a job that was interrupted go on: each `fit` leaves its last epoch in the job's folder, and finds it there.

What is kept of a model is what Keras's own BackupAndRestore writes. It is called beside the user's callbacks, not as
one of them, so that batches cost nothing more; and its files come into the folder whole, in an order in which what is
there can always be read: `fit-2/epoch-7/…` first, then `fit-2/state.json`, which names it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from typing import Any

from .reporting import number, warn
from .whole_files import move, put

_SECONDS_BETWEEN = 5.0
# Saving a large model into a bucket takes a while; training should have most of the time.
_SHARE_OF_TIME = 10
_STATE = "state.json"


@dataclass
class FitState:
    """How far a `fit` had come: epochs that were done, the rows and the history of them."""

    epoch: int = 0
    finished: bool = False
    weights: str | None = None
    history: dict[str, list[Any]] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)


class Checkpoints:
    """The checkpoints of one job, one folder for each `fit`."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._last_end = time.monotonic()
        self._last_took = 0.0
        self._written: set[int] = set()
        self._fit_of_model: dict[int, int] = {}
        self._failed = False

    @classmethod
    def of_job(cls, folder: str | None, wanted: bool) -> Checkpoints | None:
        """Where they are wanted, or some are there already; else training costs nothing more."""
        return cls(folder) if folder is not None and (wanted or os.path.isdir(folder)) else None

    def restore(self, fit: int, model: Any, epochs: int) -> FitState | None:
        """Brings a model to where an interrupted run of the job left this `fit`; one that was done is only skipped."""
        # Keras keeps it at the model, where it would shorten each later `fit` too.
        model._initial_epoch = None
        state = self._read(fit)
        if state is None:
            return None
        try:
            if state.weights is not None:
                self._backup(model, self._path(fit, state.weights)).on_train_begin()
        except Exception as problem:
            warn(f"The checkpoint of fit {fit} does not fit this model, which is trained from its beginning: {problem}")
            model._initial_epoch = None
            return None
        model._initial_epoch = max(epochs, state.epoch) if state.finished else state.epoch
        self._written.add(fit)
        self._fit_of_model[id(model)] = fit
        return state

    def is_wanted(self, fit: int, finished: bool) -> bool:
        """Whether enough time has passed since the last one, or a `fit` has ended of which there is one."""
        pause = max(_SECONDS_BETWEEN, _SHARE_OF_TIME * self._last_took)
        return time.monotonic() - self._last_end >= pause or (finished and fit in self._written)

    def keep(self, fit: int, model: Any, state: FitState) -> None:
        """Keeps a model after an epoch, or at the end of a `fit`."""
        began = time.monotonic()
        try:
            self._write(fit, model, state)
        except Exception as problem:
            if not self._failed:
                warn(f"No checkpoint could be written, so an interruption would cost the training: {problem}")
            self._failed = True
        self._last_end = time.monotonic()
        self._last_took = self._last_end - began

    def remove(self) -> None:
        """The job has ended well, and nothing will go on from here."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _write(self, fit: int, model: Any, state: FitState) -> None:
        before = self._read(fit)
        state.weights = f"epoch-{state.epoch}{'-end' if state.finished else ''}"
        with tempfile.TemporaryDirectory(prefix="cloudml-") as temporary:
            backup = self._backup(model, temporary)
            backup.on_epoch_end(state.epoch - 1)
            for name in sorted(os.listdir(temporary)):
                move(os.path.join(temporary, name), self._path(fit, state.weights), name)
        self._commit(fit, state)
        self._written.add(fit)
        if before is not None and before.weights not in (None, state.weights):
            shutil.rmtree(self._path(fit, str(before.weights)), ignore_errors=True)
        self._supersede(self._fit_of_model.get(id(model)), fit)
        self._fit_of_model[id(model)] = fit

    def _supersede(self, earlier: int | None, fit: int) -> None:
        """A model that is trained again has its weights in the later `fit`; the earlier one needs only be skipped."""
        state = self._read(earlier) if earlier not in (None, fit) else None
        if state is None or not state.finished or earlier is None:
            return
        folder, state.weights = state.weights, None
        self._commit(earlier, state)
        if folder is not None:
            shutil.rmtree(self._path(earlier, folder), ignore_errors=True)

    def _commit(self, fit: int, state: FitState) -> None:
        put(self._path(fit), _STATE, json.dumps(vars(state)).encode())

    def _read(self, fit: int | None) -> FitState | None:
        try:
            with open(self._path(fit, _STATE), "rb") as file:
                return FitState(**json.load(file))
        except (OSError, ValueError, TypeError):
            return None

    def _path(self, fit: int | None, *parts: str) -> str:
        return os.path.join(self._folder, f"fit-{fit}", *parts)

    def _backup(self, model: Any, folder: str) -> Any:
        backup = sys.modules["keras"].callbacks.BackupAndRestore(folder, delete_checkpoint=False)
        backup.set_model(model)
        return backup


def plain_history(history: Any) -> dict[str, list[Any]]:
    """What a History holds, as far as JSON can hold it."""
    found = {}
    for name, values in getattr(history, "history", {}).items():
        try:
            found[str(name)] = [number(value) for value in values]
        except TypeError:
            continue
    return found
