"""The two repositories of images that a project needs in the cloud, made once and on request."""

from __future__ import annotations

from collections.abc import Callable

from cloudml_magic.client import Caller, awaited_operation
from cloudml_magic.connection import Connection, Place
from cloudml_magic.dialects import artifact_registry_v1, service_usage_v1
from cloudml_magic.dialects.call import Call
from cloudml_magic.dialects.google_operations import read_operation
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Target

BUILT = "cloudml"
"""The repository of images that are built here."""
MIRROR = "cloudml-docker-hub"
"""The repository that fetches public images."""
APIS = ("artifactregistry.googleapis.com", "cloudbuild.googleapis.com")
_LONGEST_SECONDS = 300.0
_OWN_HOST = (".", ":")  # what the first part of an address has where it names a registry, and not a user of Docker Hub

OnStage = Callable[[str], None]


def set_up_registry(there: Connection, on_stage: OnStage) -> None:
    """Enables what images need, and makes the repositories that are not there."""
    where = there.place
    on_stage("enabling Artifact Registry and Cloud Build")
    services = there.caller(service_usage_v1.API)
    enabling = services.perform(service_usage_v1.enable_services(where.project, APIS))
    _finish(services, enabling, service_usage_v1.get_operation)
    registry = there.caller(artifact_registry_v1.API)
    for name, create in (
        (BUILT, artifact_registry_v1.create_repository),
        (MIRROR, artifact_registry_v1.create_mirror),
    ):
        if not _exists(registry, artifact_registry_v1.get_repository(where.project, where.region, name)):
            on_stage(f"making the repository {name}")
            begun = registry.perform(create(where.project, where.region, name))
            _finish(registry, begun, artifact_registry_v1.get_operation)


def require_repository(there: Connection, name: str) -> None:
    """Refuses to go on without a repository."""
    where = there.place
    call = artifact_registry_v1.get_repository(where.project, where.region, name)
    if not _exists(there.caller(artifact_registry_v1.API), call):
        raise CloudMLError(
            "no-repository",
            f"The project {where.project} has no repository {name} for images in {where.region}.",
            why="Vertex AI pulls images from Artifact Registry.",
            next="`%ml_image setup` makes it, once; an empty one costs nothing.",
        )


def has_tag(there: Connection, image: str, tag: str) -> bool:
    """Whether our repository has an image under a tag."""
    where = there.place
    call = artifact_registry_v1.get_tag(where.project, where.region, BUILT, image, tag)
    return _exists(there.caller(artifact_registry_v1.API), call)


def serving_address(image: str, there: Connection) -> str:
    """Where a place pulls a public image from that serves models: Vertex AI does so from Artifact Registry only."""
    if there.place.target is Target.LOCAL or any(mark in image.partition("/")[0] for mark in _OWN_HOST):
        return image
    require_repository(there, MIRROR)
    return registry_address(there.place, MIRROR, image)


def registry_address(where: Place, repository: str, image: str) -> str:
    """The address of an image in a repository of the place."""
    return artifact_registry_v1.image_address(where.project, where.region, repository, image)


def _exists(caller: Caller, call: Call) -> bool:
    try:
        caller.perform(call)
    except CloudMLError as error:
        if error.reference == "not-found":
            return False
        raise
    return True


def _finish(caller: Caller, begun: dict[str, object], get: Callable[[str], Call]) -> None:
    """Waits for an operation; raises for one that failed or takes longer than it should."""
    operation = awaited_operation(
        read_operation(begun), lambda name: read_operation(caller.perform(get(name))), longest=_LONGEST_SECONDS
    )
    if operation.error or not operation.done:
        raise CloudMLError(
            "not-set-up",
            "The repositories for images were not made.",
            why=operation.error or "It takes longer than it should.",
            next="Say `%ml_image setup` again: what is made already stays.",
        )
