"""What must hold before something is deleted; asked when the request comes and again when its work is done."""

from __future__ import annotations

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.resources.endpoints import EndpointResources, StoredEndpoint
from cloudml_magic.local_platform.resources.models import DEFAULT, StoredVersion


def refuse_deployed(endpoints: EndpointResources, version: StoredVersion, *, whole_model: bool = False) -> None:
    """Raises PlatformError if the version, or any of its model, is deployed."""
    found = endpoints.deployments_of(version.location, version.model, None if whole_model else version.version)
    if found:
        names = ", ".join(dict.fromkeys(each.endpoint_name for each in found))
        raise PlatformError(
            400,
            f"The Model {version.model_name if whole_model else version.title} is deployed or being deployed at the"
            f" following Endpoint(s): {names}. Undeploy it first.",
            status="FAILED_PRECONDITION",
        )


def refuse_default(version: StoredVersion) -> None:
    """Raises PlatformError for a default version, which cannot be deleted."""
    if DEFAULT in version.aliases:
        raise PlatformError(
            400,
            f"{version.title} is the default version of its model and cannot be deleted. Make another version the"
            " default, or delete the model.",
            status="FAILED_PRECONDITION",
        )


def refuse_occupied(endpoint: StoredEndpoint) -> None:
    """Raises PlatformError if anything is deployed on the endpoint."""
    if endpoint.deployments:
        ids = ", ".join(each.id for each in endpoint.deployments)
        raise PlatformError(
            400,
            f"Endpoint {endpoint.resource_name} has deployed or being deployed DeployedModel(s): {ids}."
            " Undeploy them first.",
            status="FAILED_PRECONDITION",
        )
