"""Takes deployments, versions and models away, and says beforehand what will go."""

from __future__ import annotations

from dataclasses import dataclass

from cloudml_magic.connection import Connection
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.deployment.lookup import (
    chosen_version,
    endpoint_of,
    known_versions,
    split_title,
)
from cloudml_magic.pipeline.deployment.traffic import without
from cloudml_magic.pipeline.folder_users import users_of
from cloudml_magic.pipeline.session import connection
from cloudml_magic.records import Endpoint, ModelVersion
from cloudml_magic.storage import Address

_OWN_FOLDER = "models/"
_DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Removal:
    """What will go when a model, or a version of it, is deleted."""

    name: str
    connection: Connection
    versions: tuple[ModelVersion, ...]
    others: tuple[ModelVersion, ...]
    endpoint: Endpoint | None

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the model will be left."""
        return not self.others

    @property
    def words(self) -> str:
        """For the question before it."""
        numbers = ", ".join(version.version for version in self.versions)
        what = f"model {self.name} with version{'s' if len(self.versions) > 1 else ''} {numbers}"
        if not self.is_whole:
            return f"version {self.versions[0].title}"
        return f"{what} and its endpoint" if self.endpoint else what


def undeploy(title: str) -> list[str]:
    """Lets MODEL/VERSION go, or every version of MODEL; returns what went. The others take over its traffic."""
    name, wanted = split_title(title)
    there = connection()
    versions = known_versions(name, there)
    endpoint = endpoint_of(name, there)
    chosen = chosen_version(versions, wanted, title).version if wanted else None
    leaving = [held for held in endpoint.deployed if chosen in (None, held.version)] if endpoint else []
    if endpoint is None or not leaving:
        raise CloudMLError("model-not-deployed", f"{title} is not deployed.", next="`%ml_models` lists what is.")
    gone = []
    for held in sorted(leaving, key=lambda held: held.traffic):
        shares = {each.id: each.traffic for each in endpoint.deployed}
        endpoint = there.client.models.undeploy(endpoint, held.id, without(shares, held.id))
        gone.append(f"{name}/{held.version}")
    return gone


def removal_of(title: str) -> Removal:
    """What deleting MODEL or MODEL/VERSION would take away; refused while it is deployed."""
    name, wanted = split_title(title)
    there = connection()
    versions = known_versions(name, there)
    chosen = [chosen_version(versions, wanted, title)] if wanted else versions
    endpoint = endpoint_of(name, there)
    numbers = {version.version for version in chosen}
    held = [each.version for each in endpoint.deployed if each.version in numbers] if endpoint else []
    # Where a version cannot be let go, deleting it is the way.
    if held and there.client.models.lets_versions_go:
        raise CloudMLError(
            "model-deployed",
            f"{title} cannot be deleted while it is deployed.",
            why=f"{', '.join(f'{name}/{version}' for version in held)} answers on its endpoint.",
            next=f"Say `%ml_undeploy {title}` first.",
        )
    others = tuple(version for version in versions if version.version not in numbers)
    return Removal(name, there, tuple(chosen), others, endpoint)


def delete_model(removal: Removal) -> None:
    """Deletes what was announced, and the folders that were uploaded for it; a job's folder stays with its job."""
    models = removal.connection.client.models
    if removal.is_whole:
        if removal.endpoint is not None:
            models.delete_endpoint(removal.endpoint.resource_name)
        models.delete_model(removal.versions[0].model_resource)
    else:
        (leaving,) = removal.versions
        if _DEFAULT in leaving.aliases:
            # A model always has a default version; the latest of the others takes its place.
            models.merge_aliases(removal.others[-1], (_DEFAULT,))
        models.delete_version(leaving)
    for uri in {version.artifact_uri.rstrip("/") for version in removal.versions}:
        _delete_folder(Address.parse(uri), removal.connection)


def _delete_folder(folder: Address, there: Connection) -> None:
    """Deletes what was uploaded for a model, unless another version is made of it."""
    is_own = folder.bucket == there.place.bucket.bucket and folder.name.startswith(_OWN_FOLDER)
    if is_own and not users_of(folder, there):
        there.storage.delete_folder(folder)
