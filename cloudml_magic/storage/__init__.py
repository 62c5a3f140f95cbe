"""gs:// addresses and what is done with them, over google-cloud-storage."""

from cloudml_magic.storage.address import Address
from cloudml_magic.storage.browser import BucketBrowser, Level, StoredObject
from cloudml_magic.storage.objects import ObjectStorage

__all__ = ["Address", "BucketBrowser", "Level", "ObjectStorage", "StoredObject"]
