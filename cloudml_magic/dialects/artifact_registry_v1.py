"""Artifact Registry: repositories of images, our own and one that fetches from Docker Hub."""

from __future__ import annotations

from typing import Any

from cloudml_magic.dialects.call import Call

API = ("artifactregistry", "v1")
_LOCATION = "artifactregistry.projects.locations"
_REPOSITORIES = f"{_LOCATION}.repositories"


def image_address(project: str, region: str, repository: str, image: str) -> str:
    """Where an image of a repository is pulled from; `image` is a name with its tag."""
    return f"{region}-docker.pkg.dev/{project}/{repository}/{image}"


def get_repository(project: str, region: str, name: str) -> Call:
    return Call(f"{_REPOSITORIES}.get", {"name": f"{_parent(project, region)}/repositories/{name}"})


def create_repository(project: str, region: str, name: str) -> Call:
    """A repository that images are pushed to."""
    return _created(project, region, name, {"description": "Images that %ml_image build has made"})


def create_mirror(project: str, region: str, name: str) -> Call:
    """A repository that holds nothing of its own: what is pulled from it is fetched from Docker Hub once, and kept."""
    mirror = {
        "description": "Public images of Docker Hub, for Vertex AI, which pulls from Artifact Registry only",
        "mode": "REMOTE_REPOSITORY",
        "remoteRepositoryConfig": {"dockerRepository": {"publicRepository": "DOCKER_HUB"}},
    }
    return _created(project, region, name, mirror)


def get_tag(project: str, region: str, repository: str, image: str, tag: str) -> Call:
    """Whether a repository has an image under a tag."""
    package = f"{_parent(project, region)}/repositories/{repository}/packages/{image}"
    return Call(f"{_REPOSITORIES}.packages.tags.get", {"name": f"{package}/tags/{tag}"})


def get_operation(name: str) -> Call:
    return Call(f"{_LOCATION}.operations.get", {"name": name})


def _created(project: str, region: str, name: str, more: dict[str, Any]) -> Call:
    parameters: dict[str, str | int] = {"parent": _parent(project, region), "repositoryId": name}
    return Call(f"{_REPOSITORIES}.create", parameters, {"format": "DOCKER", **more})


def _parent(project: str, region: str) -> str:
    return f"projects/{project}/locations/{region}"
