"""The job as a variable of the notebook: how it stands, what it printed, its history and its model."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from cloudml_magic.client import Reading
from cloudml_magic.connection import Connection
from cloudml_magic.dialects.logging_v2 import LogLine
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline import results
from cloudml_magic.pipeline.folder_users import free_versions_of
from cloudml_magic.pipeline.metric_curves import MetricCurve
from cloudml_magic.pipeline.origin import read_export_wished, read_origin
from cloudml_magic.pipeline.progress import JobProgress
from cloudml_magic.records import JobEvent, JobFailure, JobOrigin, JobSnapshot, ModelInterface, ModelVersion, Target
from cloudml_magic.states import JobState
from cloudml_magic.storage import Address


class Job:
    """One job; properties ask the platform when they are read."""

    def __init__(self, snapshot: JobSnapshot, connection: Connection) -> None:
        self._snapshot = snapshot
        self._connection = connection
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._snapshot.name

    @property
    def id(self) -> str:
        return self._snapshot.id

    @property
    def resource_name(self) -> str:
        """What its platform calls it."""
        return self._snapshot.resource_name

    @property
    def target(self) -> Target:
        return self._snapshot.target

    @property
    def last_seen(self) -> JobSnapshot:
        """What the platform said last; asks nothing."""
        return self._snapshot

    @property
    def state(self) -> JobState:
        """Where the job stands now."""
        return self.snapshot().state

    @property
    def error(self) -> JobFailure | None:
        """Why it failed: cause, cell, line; None if it did not."""
        snapshot = self.snapshot()
        if snapshot.state is not JobState.FAILED:
            return None
        return self._folded().failure or snapshot.failure or JobFailure("The platform gave no reason.")

    @property
    def metrics(self) -> dict[str, float]:
        """The latest value of each metric."""
        return self._folded().metrics

    @property
    def history(self) -> Any:
        """One row per epoch so far: a DataFrame, or a dict of lists where there is no pandas."""
        return results.history(self._folded())

    def snapshot(self) -> JobSnapshot:
        """What the platform says now; what has ended is not asked again."""
        with self._lock:
            if not self._snapshot.state.is_final:
                self._snapshot = self._connection.client.job(self._snapshot.resource_name)
            return self._snapshot

    @cached_property
    def origin(self) -> JobOrigin:
        """Where it was sent from, read from its folder once."""
        return read_origin(self.folder, self._connection.storage) if self._snapshot.folder else JobOrigin()

    def watch(self, *, log_tail: int | None = None, reading: Reading | None = None) -> Iterator[JobEvent]:
        """What the job reports, from its beginning until its end, or until another thread ends the reading."""
        return self._connection.client.watch(self._snapshot, log_tail=log_tail, reading=reading)

    def wait(self, on_event: Callable[[JobEvent], None] | None = None) -> Job:
        """Blocks until the job has ended; raises if it failed or was cancelled. An interrupt leaves the job running."""
        for event in self.watch(log_tail=0):
            if on_event:
                on_event(event)
        state = self.state
        if state is JobState.FAILED:
            raise failed(self.name, self.error)
        if state is JobState.CANCELLED:
            raise CloudMLError(
                "job-cancelled", f"Job {self.name} was cancelled.", next="Run its cell again to start anew."
            )
        return self

    def cancel(self) -> None:
        """Asks the job to stop; it saves what there is."""
        self._connection.client.cancel(self._snapshot.resource_name)

    def logs(self, last: int | None = None) -> list[str]:
        """The lines that the job printed: all, or the last ones."""
        return self._connection.client.logs(self.id, last=last)

    def log_lines(self, last: int) -> list[LogLine]:
        """The last lines that the job printed, each with its time and severity."""
        return self._connection.client.log_lines(self.id, last)

    def artifacts(self) -> list[str]:
        """The files that the job left in its folder, as gs:// addresses."""
        if not self._snapshot.folder:
            return []
        folder = self.folder
        return [str(folder / name) for name in self._connection.storage.names(folder)]

    def model(self, custom_objects: Mapping[str, Any] | None = None, *, trust: bool = False) -> Any:
        """The trained model: waits for the job, loads without running code of the file, finds your own classes.

        Of a job that failed or was cancelled it is the model as it was then, with a warning, if there is one.
        `trust` loads a Lambda layer too, whose code then runs in this kernel.
        """
        try:
            self.wait()
        except CloudMLError as ended:
            if ended.reference not in {"job-failed", "job-cancelled"} or not results.has_model(
                self.folder, self._connection.storage
            ):
                raise
            warnings.warn(f"{ended.what} This is its model as it was then.", stacklevel=2)
        return results.model(self.name, self.folder, self._connection.storage, custom_objects, trust)

    def curves(self) -> list[MetricCurve]:
        """Its metrics so far, point by point."""
        return self._folded().curves.shown()

    def interface(self) -> ModelInterface | None:
        """What its exported model takes and gives; None where it left no export."""
        return results.interface(self.folder, self._connection.storage) if self._snapshot.folder else None

    def bring_export(self, to: Path) -> None:
        """Brings its exported model to a folder here."""
        results.bring_export(self.folder, self._connection.storage, to)

    def export_wished(self) -> Mapping[str, Any]:
        """What its submission said of the export, whether or not there is one: labels, preprocess, resize, picture."""
        return read_export_wished(self.folder, self._connection.storage) if self._snapshot.folder else {}

    def check_deletable(self) -> list[ModelVersion]:
        """Refuses a job that goes on or whose model is deployed; the versions that will have lost their files."""
        if not self.state.is_final:
            raise CloudMLError(
                "job-not-ended", f"Job {self.name} has not ended.", next=f"Say `%ml_cancel {self.name}` first."
            )
        return free_versions_of(self.name, self.folder, self._connection) if self._snapshot.folder else []

    def delete(self) -> None:
        """Removes a job that has ended, and its folder in the bucket; versions made of it cannot be deployed again."""
        self.check_deletable()
        if self._snapshot.folder:
            self._connection.storage.delete_folder(self.folder)
        self._connection.client.delete(self._snapshot.resource_name)

    @property
    def folder(self) -> Address:
        """The job's folder in its bucket."""
        return Address.parse(self._snapshot.folder)

    def _folded(self) -> JobProgress:
        return results.read_progress(self.folder, self._connection.storage) if self._snapshot.folder else JobProgress()

    def __repr__(self) -> str:
        return f"<Job {self.name} {self._snapshot.state}>"

    def _ipython_display_(self) -> None:
        """Shows nothing: the card under the cell is the job's display, `%ml_job` shows it again."""


def failed(name: str, failure: JobFailure | None) -> CloudMLError:
    """A failed job as an error, with the cell and the line where there is one."""
    if failure is None:
        return CloudMLError("job-failed", f"Job {name} failed.", next=f"`%ml_logs {name}` shows what it printed.")
    why = failure.message
    if failure.cell and failure.line:
        why += f"\n{failure.cell}, line {failure.line}"
        if failure.source_line:
            why += f": {failure.source_line.strip()}"
    return CloudMLError(
        "job-failed", f"Job {name} failed.", why=why, next=failure.next or f"`%ml_logs {name}` shows what it printed."
    )
