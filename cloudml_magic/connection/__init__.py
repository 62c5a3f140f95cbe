"""The only place that chooses target, address and dialect: from settings to a client and the objects of a bucket."""

from cloudml_magic.connection.base import Connection
from cloudml_magic.connection.cloud import CloudConnection
from cloudml_magic.connection.local import LocalConnection, concurrency, running_platform
from cloudml_magic.connection.place import Place, place, place_of
from cloudml_magic.connection.standing import PlatformState, only_looking, platform_has_begun, platform_standing
from cloudml_magic.records import Target
from cloudml_magic.settings import Settings

__all__ = [
    "CloudConnection",
    "Connection",
    "LocalConnection",
    "Place",
    "PlatformState",
    "concurrency",
    "connect",
    "only_looking",
    "place",
    "place_of",
    "platform_has_begun",
    "platform_standing",
    "running_platform",
]


def connect(where: Place, settings: Settings) -> Connection:
    """The connection to a place; nothing is contacted or started before its first use."""
    return CloudConnection(where) if where.target is Target.CLOUD else LocalConnection(where, settings)
