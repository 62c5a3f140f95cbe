"""What Vertex AI requires of endpoints and of what is deployed on them, beyond what its schema says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.resources.endpoints import StoredEndpoint
from cloudml_magic.local_platform.routes.fields import Violations, check_display_name, check_labels, refuse

_ID = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?|[1-9][0-9]{0,8}")
_DEPLOYED_ID = re.compile(r"\d{1,10}")


def check_endpoint_id(id: str) -> None:
    """Refuses an id that no endpoint can have; an empty one is the server's to choose."""
    if id and not _ID.fullmatch(id):
        raise PlatformError(
            400,
            f"endpoint_id {id[:80]!r} is no id: up to 63 characters of a-z, 0-9 and -, beginning with a letter, or"
            " up to 9 digits.",
            violations=[("endpoint_id", "Invalid id.")],
        )


def check_new_id(endpoint: StoredEndpoint, id: str) -> None:
    """Refuses an id that no new DeployedModel of the endpoint can have; an empty one is the server's to choose."""
    if id and not _DEPLOYED_ID.fullmatch(id):
        raise PlatformError(
            400,
            f"deployed_model.id {id[:80]!r} is no id: it has 1 to 10 digits.",
            violations=[("deployed_model.id", "Invalid id.")],
        )
    if id and not id.strip("0"):
        raise PlatformError(400, "deployed_model.id must not be 0, which stands for the new one in a split.")
    if endpoint.deployment(id) is not None:
        raise PlatformError(409, f"{endpoint.resource_name} has a DeployedModel {id} already.")


def check_endpoint(body: Mapping[str, Any]) -> None:
    """Refuses an endpoint without a name or with labels that are none."""
    found: Violations = []
    check_display_name(body, "endpoint", found)
    check_labels(body, "endpoint", found)
    refuse(found)


def check_resources(deployed: Mapping[str, Any]) -> None:
    """Refuses what does not say on which machines, and how many."""
    found: Violations = []
    resources = deployed.get("dedicatedResources")
    where = "deployed_model.dedicated_resources"
    if resources is None:
        found.append((where, "Required: the model supports DEDICATED_RESOURCES only."))
    else:
        if not resources.get("machineSpec", {}).get("machineType"):
            found.append((f"{where}.machine_spec.machine_type", "Required field is not set."))
        least = resources.get("minReplicaCount", 0)
        if least < 1:
            found.append((f"{where}.min_replica_count", "At least 1 replica is required."))
        if resources.get("maxReplicaCount") and resources["maxReplicaCount"] < least:
            found.append((f"{where}.max_replica_count", "It must not be smaller than min_replica_count."))
    refuse(found)
