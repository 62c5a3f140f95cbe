"""Models: what one takes and gives, where its versions are deployed, and what it answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudml_magic.records.jobs import Machine

Shape = tuple[int | None, ...]
"""Sizes of a tensor's dimensions, the batch first; None where any size will do."""


# --- what a model folder says ---


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A named tensor of a signature; `dtype` as NumPy calls it, and `string` for bytes and text."""

    name: str
    dtype: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to ask a model."""

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


@dataclass(frozen=True, slots=True)
class PictureInput:
    """How a model takes pictures: the string input for encoded ones, and what becomes of them before the model."""

    input: str
    height: int
    width: int
    channels: int
    resize: str = "stretch"
    preprocess: str | None = None


@dataclass(frozen=True, slots=True)
class ModelInterface:
    """What a model takes and gives, read from its folder without TensorFlow (docs/model_folder.md)."""

    signatures: Mapping[str, Signature]
    picture: PictureInput | None = None
    task: str = "other"
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    activations: Mapping[str, str] = field(default_factory=dict)
    tensorflow: str | None = None
    digest: str | None = None


# --- models and endpoints ---


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a model as a place keeps it. Times are seconds since the epoch."""

    resource_name: str
    name: str
    version: str
    artifact_uri: str
    image: str
    created: float
    aliases: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def model_resource(self) -> str:
        """The model's name without its version."""
        return self.resource_name.partition("@")[0]

    @property
    def title(self) -> str:
        """`census/2`, as users write it."""
        return f"{self.name}/{self.version}"


@dataclass(frozen=True, slots=True)
class VersionSpec:
    """What is to become a version: a folder and the image that serves it, of a new model or of `parent_model`.

    A `numbered` folder is called 1, alone in the one that holds it.
    """

    name: str
    artifact_uri: str
    image: str
    parent_model: str | None = None
    aliases: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class DeploymentSpec:
    """How a version is to answer: under an id of our own, on how many machines, and the traffic from then on."""

    version: ModelVersion
    id: str
    machine: Machine
    replicas: tuple[int, int]
    traffic: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DeployedVersion:
    """A version that an endpoint holds: its share of the traffic in percent, and since when."""

    id: str
    model_resource: str
    version: str
    traffic: int
    created: float
    machine: Machine | None = None
    min_replicas: int = 1
    max_replicas: int = 1
    message: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model answers."""

    resource_name: str
    name: str
    created: float
    deployed: tuple[DeployedVersion, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OperationSnapshot:
    """How a long-running operation stands: its stage in words, and its end."""

    name: str
    done: bool
    stage: str = ""
    error: str | None = None
    error_code: int = 0
    response: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answered to one request; `predictions` are plain values, one per instance."""

    predictions: tuple[Any, ...]
    deployed_id: str = ""
    model_resource: str = ""
    version: str = ""


# --- predictions ---


@dataclass(frozen=True, slots=True)
class PredictedOutput:
    """One output for one instance; `classes` are labels with their shares, best first, where it tells classes apart."""

    name: str
    value: Any
    classes: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class PredictedInstance:
    """What was asked (a picture's name and thumbnail, or the values of a row) and what came back."""

    outputs: tuple[PredictedOutput, ...]
    name: str = ""
    thumbnail: bytes | None = field(default=None, repr=False)
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answers to what was given; `values` are what the model gave for all, `instances` tell of the first ones."""

    model: str
    version: str
    instances: tuple[PredictedInstance, ...]
    values: list[Any] = field(repr=False)
    seconds: float
    signature: str
    where: str = ""
    requests: int = 1
    notes: tuple[str, ...] = ()
