"""Sends a batch prediction: what `%ml_batch_predict` does, from Python."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from cloudml_magic.connection import Connection, place
from cloudml_magic.dialects.machines import asked_machine
from cloudml_magic.errors import CloudMLError
from cloudml_magic.packaging import slug
from cloudml_magic.pipeline.batch.inputs import batch_input
from cloudml_magic.pipeline.batch_job import BatchJob
from cloudml_magic.pipeline.deployment.artifact import read_artifact
from cloudml_magic.pipeline.deployment.lookup import chosen_version, known_versions, split_title
from cloudml_magic.pipeline.options import checked_name
from cloudml_magic.pipeline.session import CURRENT, connection_to, ledger, notebook_namespace
from cloudml_magic.pipeline.submission import noted
from cloudml_magic.records import BatchSpec, JobSnapshot, ModelVersion
from cloudml_magic.storage import Address

_DEFAULT = "default"


def batch_predict(
    model: str,
    input: Any,
    output: str | None = None,
    *,
    format: str | None = None,
    batch_size: int | None = None,
    workers: int | None = None,
    name: str | None = None,
    machine: str | None = None,
    gpu: str | None = None,
    target: str | None = None,
) -> BatchJob:
    """Predicts everything that `input` names (gs://, files, a folder of pictures) or is, as a job.

    The model, or the version of it, need not be deployed. `output` is a gs:// folder, by default one in the bucket.
    """
    _check_counts(batch_size, workers)
    there = connection_to(place(CURRENT, target))
    there.check_bucket()
    version = _version(model, there)
    interface = read_artifact(Address.parse(version.artifact_uri), there)
    inputs = batch_input(input, format, interface, there)
    folder = Address.parse(output) if output else there.place.bucket / "predictions" / slug(version.name)
    token = secrets.token_hex(8)
    spec = BatchSpec(
        name=checked_name(name or f"{version.name}-batch"),
        token=token,
        model=version.resource_name,
        format=inputs.format,
        inputs=inputs.uris,
        output=str(folder),
        machine=asked_machine(CURRENT.value("machine", machine), CURRENT.value("gpu", gpu)),
        batch_size=batch_size,
        workers=workers,
        labels=(("cloudml-name", slug(version.name)),),
    )
    for upload in inputs.uploads:
        upload.send(there)
    return BatchJob(_submit(spec, there), there)


def value_or_words(text: str) -> Any:
    """What `--input` names: a variable of the notebook, or else files."""
    namespace = notebook_namespace()
    if text.isidentifier() and text in namespace and not Path(text).exists():
        return namespace[text]
    return text


def _submit(spec: BatchSpec, there: Connection) -> JobSnapshot:
    with noted(spec, there.place):
        snapshot = there.client.create_batch_job(spec)
    ledger().complete(spec.token, snapshot.resource_name)
    return snapshot


def _version(title: str, there: Connection) -> ModelVersion:
    name, wanted = split_title(title)
    versions = known_versions(name, there)
    if wanted:
        return chosen_version(versions, wanted, title)
    return next((version for version in versions if _DEFAULT in version.aliases), versions[-1])


def _check_counts(batch_size: int | None, workers: int | None) -> None:
    for option, value, most in (("batch-size", batch_size, 100_000), ("workers", workers, 1_000)):
        if value is not None and not 1 <= value <= most:
            raise CloudMLError(
                "bad-option", f"--{option} cannot be {value}.", next=f"Give a whole number from 1 to {most:,}."
            )
