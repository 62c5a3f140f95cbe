"""The nouns of the house, frozen: what flows down the streets and lies on the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cloudml_magic.states import JobState


class Target(StrEnum):
    """Which of the two places a job goes to."""

    LOCAL = "local"
    CLOUD = "cloud"


# --- source ---


@dataclass(frozen=True, slots=True)
class Cell:
    """One execution of one notebook cell, its text as the editor shows it (magic lines included)."""

    text: str
    number: int | None = None
    id: str | None = None

    @property
    def label(self) -> str:
        """How errors and cards call this cell."""
        return f"In [{self.number}]" if self.number is not None else "In [*]"


@dataclass(frozen=True, slots=True)
class CapturedStatement:
    """A top-level statement that travels, as plain Python, and where it came from.

    `first_line` counts as the editor does: the first line of the cell, its magic line too, is line 1.
    """

    text: str
    cell: Cell
    first_line: int
    binds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CapturedValue:
    """A small plain value of the kernel, written into the module as a constant (`literal` is its source text)."""

    name: str
    literal: str


@dataclass(frozen=True, slots=True)
class ShippedValue:
    """An array, frame or tensor that the user sends along by name; loaded before the code runs."""

    name: str
    kind: str
    summary: str


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A module or package file beside the notebook, at its path relative to the notebook's folder."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file, folder or gs:// address, and the relative path at which the code finds it in the job."""

    address: str
    path: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that does not travel, and why."""

    what: str
    why: str
    cell: Cell | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class CapturedSource:
    """All that a trained cell needs and nothing else, in the order in which it ran."""

    statements: tuple[CapturedStatement, ...]
    values: tuple[CapturedValue, ...] = ()
    shipped: tuple[ShippedValue, ...] = ()
    files: tuple[SourceFile, ...] = ()
    data: tuple[DataFile, ...] = ()
    requirements: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    warnings: tuple[str, ...] = ()


# --- package ---


@dataclass(frozen=True, slots=True)
class SourceMapEntry:
    """Lines first..last of the module (from 1) are the cell's lines from `cell_line` on."""

    first: int
    last: int
    cell: str
    cell_line: int


@dataclass(frozen=True, slots=True)
class TrainerPackage:
    """An sdist of a CapturedSource: equal cells, equal bytes."""

    file_name: str
    content: bytes
    sha256: str
    module: str
    requirements: tuple[str, ...]


# --- jobs ---


@dataclass(frozen=True, slots=True)
class Accelerator:
    """A kind of GPU or TPU by its short name (`T4`, `A100-80`) and how many of them."""

    kind: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Machine:
    """What a job asks to run on."""

    machine_type: str | None = None
    accelerator: Accelerator | None = None
    spot: bool = False


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
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class JobFailure:
    """Why a job failed, as its user would put it."""

    message: str
    cell: str | None = None
    line: int | None = None
    source_line: str | None = None
    traceback: str | None = None
    next: str | None = None


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """What a platform says of a job at one moment. Times are seconds since the epoch."""

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
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobEvent:
    """One thing that a job reports: `kind` is epoch, step, metric, log, device, warning, artifact, failure or state.

    `fields` is what the runtime wrote (docs/job_events.md); everything in it is a claim of the job, not a fact.
    """

    kind: str
    time: float
    fields: Mapping[str, Any] = field(default_factory=dict)
