"""Who is asked in an evaluation: a model of this kernel (a variable's, a job's, a file's), or a deployed one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline import exporting
from cloudml_magic.pipeline.deployment.artifact import read_artifact
from cloudml_magic.pipeline.deployment.lookup import deployed_model
from cloudml_magic.pipeline.evaluation.described_models import DeployedModel, ExportedModel
from cloudml_magic.pipeline.evaluation.kernel_model import KernelModel, Preprocess
from cloudml_magic.pipeline.lookup import find_job
from cloudml_magic.pipeline.model_file import load_model
from cloudml_magic.pipeline.prediction.pictures import Picture
from cloudml_magic.pipeline.sent_job import Job
from cloudml_magic.pipeline.session import notebook_namespace
from cloudml_magic.records import PictureInput
from cloudml_magic.storage import Address
from cloudml_magic.trainer.export.labels import as_names
from cloudml_magic.trainer.export.preprocessing import needs_no_notebook

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


def _of_job(job: Job, preprocess: Preprocess, trust: bool, wait: Callable[[Job], None]) -> Askable:
    """The job's own model; its export says what its classes are called and how it takes pictures."""
    try:
        wait(job)
    except CloudMLError as ended:
        # A job that was stopped may have left a model all the same; if not, `model` says so.
        if ended.reference not in ("job-failed", "job-cancelled"):
            raise
    interface = job.interface()
    if interface is None:
        wished = job.export_wished()
        return KernelModel.of(
            job.model(trust=trust),
            job.name,
            # The name of a variable that only the job had says nothing here.
            as_names(wished.get("labels")) or (),
            preprocess=preprocess or wished.get("preprocess"),
            resize=wished.get("resize"),
        )
    picture = interface.picture
    if preprocess is None and picture is not None and picture.preprocess and not needs_no_notebook(picture.preprocess):
        # A function of that name here may be another one by now, or none: the export holds the job's own.
        with tempfile.TemporaryDirectory(prefix="cloudml-") as folder:
            job.bring_export(Path(folder))
            return ExportedModel.loaded(job.name, interface, Path(folder))
    labels = next(iter(interface.labels.values()), ())
    if preprocess is None and picture is not None:
        # Nothing but the job's word counts: this notebook may prepare other pictures otherwise.
        preprocess = picture.preprocess or "1"
    resize = picture.resize if picture else None
    return KernelModel.of(job.model(trust=trust), job.name, labels, preprocess=preprocess, resize=resize)
