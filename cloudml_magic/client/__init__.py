"""The one client: performs a dialect's calls and watches jobs; what differs between two places is the address."""

from cloudml_magic.client.access import Access
from cloudml_magic.client.client import Client

__all__ = ["Access", "Client"]
