"""Who is asked in an evaluation: a model of this kernel (a variable's, a job's, a file's), or a deployed one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline import exporting
from cloudml_magic.pipeline.deployment.artifact import read_artifact
from cloudml_magic.pipeline.deployment.lookup import deployed_model
from cloudml_magic.pipeline.evaluation.kernel_model import KernelModel, several_outputs
from cloudml_magic.pipeline.lookup import find_job
from cloudml_magic.pipeline.model_file import load_model
from cloudml_magic.pipeline.prediction import predict
from cloudml_magic.pipeline.prediction.given import DEFAULT_SIGNATURE, TENSORS_SIGNATURE
from cloudml_magic.pipeline.prediction.pictures import Picture
from cloudml_magic.pipeline.sent_job import Job
from cloudml_magic.pipeline.session import notebook_namespace
from cloudml_magic.records import ModelInterface, PictureInput
from cloudml_magic.storage import Address

Preprocess = str | Callable[..., Any] | None
_KERAS_FILE = ".keras"


class Askable(Protocol):
    """A model that gives its outputs for a batch: a row of numbers for each example."""

    @property
    def name(self) -> str: ...

    @property
    def labels(self) -> tuple[str, ...]:
        """What its classes are called; nothing where that is not known."""

    @property
    def picture(self) -> PictureInput | None:
        """How it takes picture files, if it does."""

    @property
    def rank(self) -> int | None:
        """How many dimensions its first input has, the batch's among them."""

    def of_values(self, values: Any) -> Any:
        """Its outputs for an array, a frame, or a dictionary of columns."""

    def of_pictures(self, pictures: Sequence[Picture]) -> Any:
        """Its outputs for encoded pictures."""

    def activation(self, outputs: Any) -> str:
        """`softmax`, `sigmoid`, `logits`, `linear`, …; nothing where it is not known."""


@dataclass(frozen=True, slots=True)
class DeployedModel:
    """A model that is asked over its endpoint, as `%ml_predict` asks it."""

    name: str
    interface: ModelInterface

    @property
    def labels(self) -> tuple[str, ...]:
        return next(iter(self.interface.labels.values()), ())

    @property
    def picture(self) -> PictureInput | None:
        return self.interface.picture

    @property
    def rank(self) -> int | None:
        signatures = self.interface.signatures
        asked = signatures.get(TENSORS_SIGNATURE) or signatures.get(DEFAULT_SIGNATURE)
        return len(asked.inputs[0].shape) if asked and asked.inputs else None

    def of_values(self, values: Any) -> Any:
        # Whole bytes would be taken for pictures; an evaluation gives the model numbers as they are.
        return self._outputs(values.astype("float32") if str(getattr(values, "dtype", "")) == "uint8" else values)

    def of_pictures(self, pictures: Sequence[Picture]) -> Any:
        return self._outputs([picture.content for picture in pictures])

    def activation(self, outputs: Any) -> str:
        return next(iter(self.interface.activations.values()), "")

    def _outputs(self, instances: Any) -> Any:
        import numpy as np

        values = predict(self.name, instances).values
        if values and isinstance(values[0], dict):
            raise several_outputs(self.name, len(values[0]))
        return np.asarray(values, dtype=np.float64)


def askable(what: Any, preprocess: Preprocess, trust: bool, wait: Callable[[Job], None]) -> Askable:
    """Finds the model that a user means; waits for a job that is not done."""
    value = _meant(what)
    if isinstance(value, Job):
        return _of_job(value, preprocess, trust, wait)
    if exporting.is_keras_model(value):
        name = what if isinstance(what, str) else exporting.name_of(value)
        return KernelModel.of(value, name, preprocess=preprocess)
    if isinstance(value, Path):
        model = load_model(value, str(value), trust=trust, trusting="`--trust`")
        return KernelModel.of(model, value.stem, preprocess=preprocess)
    if not isinstance(value, str):
        raise CloudMLError(
            "no-keras-model",
            f"A value of type {type(value).__name__} is no model.",
            next="Give a job's name, the variable of a Keras model, a deployed model, or the path of a .keras file.",
        )
    asked = deployed_model(value)
    return DeployedModel(value, read_artifact(Address.parse(asked.version.artifact_uri), asked.connection))


def _meant(what: Any) -> Any:
    """A job, a model of the kernel, a path, or else the title of a deployed model."""
    if isinstance(what, Path) or not isinstance(what, str):
        return what
    if (job := find_job(what)) is not None:
        return job
    value = notebook_namespace().get(what) if what.isidentifier() else None
    if isinstance(value, Job) or exporting.is_keras_model(value):
        return value
    return Path(what).expanduser() if what.endswith(_KERAS_FILE) else what


def _of_job(job: Job, preprocess: Preprocess, trust: bool, wait: Callable[[Job], None]) -> KernelModel:
    """The job's own model; its export says what its classes are called and how it takes pictures."""
    try:
        wait(job)
    except CloudMLError as ended:
        # A job that was stopped may have left a model all the same; if not, `model` says so.
        if ended.reference not in ("job-failed", "job-cancelled"):
            raise
    model = job.model(trust=trust)
    interface = job.interface()
    picture = interface.picture if interface else None
    labels = next(iter(interface.labels.values()), ()) if interface else ()
    if preprocess is None and picture is not None:
        # Nothing but the job's word counts: this notebook may prepare other pictures otherwise.
        preprocess = picture.preprocess or "1"
    return KernelModel.of(model, job.name, labels, preprocess=preprocess, resize=picture.resize if picture else None)
