"""The one client: performs a dialect's calls; what differs between two places is the address."""

from cloudml_magic.client.access import Access
from cloudml_magic.client.calls import Caller
from cloudml_magic.client.client import Client
from cloudml_magic.client.long_operations import awaited_operation
from cloudml_magic.client.models import Models
from cloudml_magic.client.watching import Reading

__all__ = ["Access", "Caller", "Client", "Models", "Reading", "awaited_operation"]
