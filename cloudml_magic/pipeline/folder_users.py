"""Which versions are made of a folder of a bucket, and so cannot do without it."""

from __future__ import annotations

from dataclasses import dataclass

from cloudml_magic.connection import Connection
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import ModelVersion
from cloudml_magic.storage import Address


@dataclass(frozen=True, slots=True)
class FolderUser:
    """A version whose files lie in a folder, and whether it answers."""

    version: ModelVersion
    is_deployed: bool


def free_versions_of(name: str, folder: Address, there: Connection) -> list[ModelVersion]:
    """The versions made of a job's folder; refused while one of them is deployed."""
    users = users_of(folder, there)
    deployed = [user.version.title for user in users if user.is_deployed]
    if deployed:
        raise CloudMLError(
            "job-deployed",
            f"Job {name} cannot be deleted while its model is deployed.",
            why=f"Answers come from its files: {', '.join(deployed)}.",
            next=f"Say `%ml_undeploy {deployed[0]}` first.",
        )
    return [user.version for user in users]


def users_of(folder: Address, there: Connection) -> list[FolderUser]:
    """The versions of any model whose files are the folder, or lie beneath it."""
    models, inside = there.client.models, f"{folder}/"
    versions = [version for model in models.models() for version in models.versions(model.model_resource)]
    found = [version for version in versions if f"{version.artifact_uri.rstrip('/')}/".startswith(inside)]
    if not found:
        return []
    held = {(held.model_resource, held.version) for endpoint in models.endpoints() for held in endpoint.deployed}
    return [FolderUser(version, (version.model_resource, version.version) in held) for version in found]
