"""How an endpoint's traffic is split among what is deployed on it: percents by id that add up to 100, or none."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.resources.endpoints import StoredEndpoint

NEW = "0"
"""Stands in a split for the model that is just being deployed."""


def check_split(traffic: Mapping[str, int], known: Collection[str]) -> None:
    """Refuses a split that names what is not there, or does not add up."""
    unknown = sorted(id for id in traffic if id not in known)
    if unknown:
        raise _refused(f"traffic_split names {unknown[0][:80]!r}, which is not deployed on the endpoint.")
    if any(not 0 <= percent <= 100 for percent in traffic.values()):
        raise _refused("traffic_split holds a percentage that is not between 0 and 100.")
    total = sum(traffic.values())
    if traffic and total != 100:
        raise _refused(f"The percentages of traffic_split add up to {total}; they must add up to 100.")


def refuse_traffic_left(endpoint: StoredEndpoint, id: str, traffic: Mapping[str, int]) -> None:
    """Refuses to undeploy what would still have traffic; the last one may go whatever it has."""
    if len(endpoint.deployments) == 1:
        return
    if (traffic or endpoint.traffic).get(id):
        raise PlatformError(
            400,
            f"DeployedModel {id} of {endpoint.resource_name} still has traffic assigned to it. Say in traffic_split who"
            " gets it.",
            status="FAILED_PRECONDITION",
        )


def split_after_deploy(current: Mapping[str, int], wanted: Mapping[str, int], id: str) -> dict[str, int]:
    """The split with the new one's id in its place; the current one if none was wanted."""
    if not wanted:
        return dict(current)
    split = {name: percent for name, percent in wanted.items() if name != NEW}
    split[id] = split.get(id, 0) + wanted.get(NEW, 0)
    return split


def split_after_undeploy(endpoint: StoredEndpoint, id: str, wanted: Mapping[str, int]) -> dict[str, int]:
    """The split without the one that goes."""
    split = {name: percent for name, percent in (wanted or endpoint.traffic).items() if name != id}
    return split if sum(split.values()) == 100 else {}


def _refused(message: str) -> PlatformError:
    return PlatformError(400, message, violations=[("traffic_split", message)])
