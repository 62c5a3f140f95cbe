"""Jobs: what a submission says, how it stands, and what it reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cloudml_magic.records.money import Price
from cloudml_magic.states import JobState


class Target(StrEnum):
    """Which of the two places a job goes to."""

    LOCAL = "local"
    CLOUD = "cloud"


class DialectName(StrEnum):
    """Which of Google's APIs a place is spoken with."""

    AIPLATFORM_V1 = "aiplatform-v1"
    ML_V1 = "ml-v1"


@dataclass(frozen=True, slots=True)
class Accelerator:
    """A kind of GPU or TPU by its short name (`T4`, `A100-80`) and how many of them."""

    kind: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Protection:
    """As whom jobs and models act, and the key under which a place keeps them; None is the place's own choice."""

    service_account: str | None = None
    kms_key: str | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """What a job asks to run on; a spot machine may be taken away, a flexible start waits until there is one."""

    machine_type: str | None = None
    accelerator: Accelerator | None = None
    spot: bool = False
    flexible: bool = False

    @property
    def restarts(self) -> bool:
        """Whether a job on it may be interrupted, and then begins again on another."""
        return self.spot or self.flexible


@dataclass(frozen=True, slots=True)
class JobSpec:
    """All that a submission says, before any dialect: equal specs make equal requests."""

    name: str
    token: str
    package_uri: str
    package_sha256: str
    module: str
    folder: str
    image: str
    command: tuple[str, ...]
    machine: Machine = Machine()
    arguments: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    timeout_seconds: int | None = None
    max_wait_seconds: int | None = None
    labels: tuple[tuple[str, str], ...] = ()


class JobKind(StrEnum):
    """What a job does."""

    TRAINING = "training"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class BatchSpec:
    """All that a batch prediction says, before any dialect; `format` is jsonl, csv, tfrecord or files."""

    name: str
    token: str
    model: str
    format: str
    inputs: tuple[str, ...]
    output: str
    machine: Machine = Machine()
    batch_size: int | None = None
    workers: int | None = None
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class JobFailure:
    """Why a job failed, as its user would put it."""

    message: str
    cell: str | None = None
    line: int | None = None
    source_line: str | None = None
    source: tuple[tuple[int, str], ...] = ()
    traceback: str | None = None
    next: str | None = None


@dataclass(frozen=True, slots=True)
class JobOrigin:
    """Where a job was sent from: notebook and cell, the front end's ids of cells, and plain values of its code.

    `price` is what an hour of it costs, as it was known then.
    """

    notebook: str | None = None
    cell: str | None = None
    cell_ids: Mapping[str, str] = field(default_factory=dict)
    parameters: tuple[tuple[str, str], ...] = ()
    price: Price | None = None

    @property
    def cell_id(self) -> str | None:
        """The id of the cell that was trained."""
        return self.cell_ids.get(self.cell or "")


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """What a platform says of a job at one moment. Times are seconds since the epoch.

    `machines` are what it asked for, and how many of each; `machine` says it in words.
    """

    id: str
    resource_name: str
    name: str
    state: JobState
    target: Target
    folder: str
    created: float
    started: float | None = None
    ended: float | None = None
    failure: JobFailure | None = None
    position: int | None = None
    machine: str = ""
    machines: tuple[tuple[Machine, int], ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    kind: JobKind = JobKind.TRAINING


@dataclass(frozen=True, slots=True)
class JobEvent:
    """One thing that a job reports: epoch, step, metric, rows, log, device, warning, artifact, failure or state.

    `fields` is what the runtime wrote (docs/job_events.md); everything in it is a claim of the job, not a fact.
    """

    kind: str
    time: float
    fields: Mapping[str, Any] = field(default_factory=dict)
