"""The one client: performs a dialect's calls; what differs between two places is the address."""

from cloudml_magic.client.access import Access
from cloudml_magic.client.client import Client
from cloudml_magic.client.event_stream import Reading
from cloudml_magic.client.models import Models

__all__ = ["Access", "Client", "Models", "Reading"]
