"""The nouns of the house, frozen: what flows down the streets and lies on the ledger."""

from __future__ import annotations

from cloudml_magic.records.jobs import (
    Accelerator,
    JobEvent,
    JobFailure,
    JobSnapshot,
    JobSpec,
    Machine,
    Target,
)
from cloudml_magic.records.models import (
    Answer,
    DeployedVersion,
    Endpoint,
    ModelInterface,
    ModelVersion,
    OperationSnapshot,
    PictureInput,
    Shape,
    Signature,
    TensorSpec,
)
from cloudml_magic.records.source import (
    CapturedSource,
    CapturedStatement,
    CapturedValue,
    Cell,
    DataFile,
    LeftOut,
    ShippedValue,
    SourceFile,
    SourceMapEntry,
    TrainerPackage,
)

__all__ = [
    "Accelerator",
    "Answer",
    "CapturedSource",
    "CapturedStatement",
    "CapturedValue",
    "Cell",
    "DataFile",
    "DeployedVersion",
    "Endpoint",
    "JobEvent",
    "JobFailure",
    "JobSnapshot",
    "JobSpec",
    "LeftOut",
    "Machine",
    "ModelInterface",
    "ModelVersion",
    "OperationSnapshot",
    "PictureInput",
    "Shape",
    "ShippedValue",
    "Signature",
    "SourceFile",
    "SourceMapEntry",
    "Target",
    "TensorSpec",
    "TrainerPackage",
]
