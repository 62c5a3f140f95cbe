"""The one client: performs a dialect's calls and watches jobs; what differs between two places is the address."""

from cloudml_magic.client.client import Client
from cloudml_magic.client.endpoint import Endpoint

__all__ = ["Client", "Endpoint"]
