"""What is answered about models, and what is done with them; what a page names is never a file of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cloudml_magic import pipeline
from cloudml_magic.cards.prediction.bundle import PREDICTION_MIME
from cloudml_magic.cards.prediction.bundle import bundle as prediction_bundle
from cloudml_magic.connection import Connection, only_looking
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline import Job
from cloudml_magic.pipeline.deployment.artifact import read_artifact
from cloudml_magic.pipeline.deployment.lookup import chosen_version, known_versions, split_title
from cloudml_magic.pipeline.lookup import find_job
from cloudml_magic.pipeline.prediction import FileName, content_of
from cloudml_magic.pipeline.session import connection, is_nothing_there
from cloudml_magic.records import ModelVersion
from cloudml_magic.server_extension.job_answers import JobAnswers
from cloudml_magic.server_extension.model_documents import interface_document, model_documents
from cloudml_magic.server_extension.operations import OnStage, Operations
from cloudml_magic.storage import Address


class ModelAnswers:
    """Asks the platform through the pipeline; every call blocks."""

    def __init__(self, jobs: JobAnswers, operations: Operations) -> None:
        self._jobs = jobs
        self._operations = operations

    def models(self) -> dict[str, Any]:
        """Every model, the latest first."""
        if is_nothing_there():
            return {"models": []}
        with only_looking():
            return {"models": model_documents(pipeline.model_lines())}

    def interface(self, title: str) -> dict[str, Any]:
        """What a model takes and gives."""
        with only_looking():
            there = connection()
            version = _version_of(title, there)
            return interface_document(title, read_artifact(Address.parse(version.artifact_uri), there))

    def deploy_job(self, job_id: str, name: str | None) -> dict[str, Any]:
        """Deploys the model of a job."""
        job = self._jobs.deployable(job_id)
        return self._deploy(job, name or job.name, name)

    def deploy(self, what: str, name: str | None) -> dict[str, Any]:
        """Deploys a job's model, MODEL/VERSION or a gs:// folder: nothing else, least of all a local path."""
        found = self._deployable(what)
        if isinstance(found, ModelVersion):
            name = name or found.name
        return self._deploy(found, name or what, name)

    def undeploy(self, title: str) -> dict[str, Any]:
        """Lets MODEL/VERSION go, or every version of MODEL."""
        split_title(title)

        def work(on_stage: OnStage) -> None:
            on_stage("undeploying")
            pipeline.undeploy(title)

        return self._operations.begin("undeploy", title, work)

    def removal(self, title: str) -> dict[str, Any]:
        """What deleting would take away."""
        with only_looking():
            return {"words": pipeline.removal_of(title).words}

    def delete(self, title: str, words: str) -> dict[str, Any]:
        """Deletes what the user was shown, if that is still what would go."""
        removal = pipeline.removal_of(title)
        if removal.words != words:
            raise CloudMLError(
                "removal-changed",
                f"{title} was not deleted.",
                why=f"It is not what it was when you were asked: {removal.words} would go now.",
                next="Delete it again, and read what will go.",
            )
        pipeline.delete_model(removal)
        return {}

    def predict_instances(self, title: str, instances: Any) -> dict[str, Any]:
        """Asks about what was typed; a text in it may name an object of a bucket, but no file of this machine."""
        return _predicted(title, instances, _object_only)

    def predict_pictures(self, title: str, pictures: Sequence[tuple[str, bytes]]) -> dict[str, Any]:
        """Asks about pictures that were dropped, each with the name that it had."""
        contents = {f"{index}/{name.replace('/', '_')}": content for index, (name, content) in enumerate(pictures)}
        return _predicted(title, [FileName(name) for name in contents], lambda where, there: contents[where])

    def _deploy(self, what: Job | ModelVersion | str, title: str, name: str | None) -> dict[str, Any]:
        def work(on_stage: OnStage) -> dict[str, str]:
            deployment = pipeline.deploy(what, on_stage=on_stage, as_=name)
            return {"title": deployment.version.title, "address": deployment.endpoint.resource_name}

        return self._operations.begin("deploy", title, work, what.id if isinstance(what, Job) else None)

    def _deployable(self, what: str) -> Job | ModelVersion | str:
        if what.startswith("gs://"):
            address = str(Address.parse(what))
            if address.endswith(".keras"):
                raise CloudMLError(
                    "deploy-needs-export",
                    "A .keras file cannot be deployed from here.",
                    why="It has to be exported first, which runs in a notebook's kernel.",
                    next=f"Say `%ml_deploy {address}` in a notebook.",
                )
            return address
        if "/" in what:
            return _version_of(what, connection())
        job = find_job(what)
        if job is not None:
            return self._jobs.deployable(job.id)
        raise CloudMLError(
            "unknown-job",
            f"There is no job {what[:100]!r}.",
            why="From here a job's model, MODEL/VERSION or a gs:// folder can be deployed.",
            next="A model variable or a local folder is deployed in a notebook: `%ml_deploy`.",
        )


def _version_of(title: str, there: Connection) -> ModelVersion:
    name, wanted = split_title(title)
    versions = known_versions(name, there)
    return chosen_version(versions, wanted, title) if wanted else versions[-1]


def _predicted(title: str, instances: Any, read: Any) -> dict[str, Any]:
    split_title(title)
    document: dict[str, Any] = prediction_bundle(pipeline.predict(title, instances, read=read))[PREDICTION_MIME]
    return document


def _object_only(where: str, there: Connection) -> bytes:
    if not where.startswith("gs://"):
        raise CloudMLError(
            "no-local-file",
            f"{where[:100]!r} is not read.",
            why="Files of the machine that the Jupyter server runs on are not read for a page.",
            next="Drop the picture itself, or give the gs:// address of an object.",
        )
    return content_of(where, there)
