"""gs:// addresses and what is done with them, over google-cloud-storage."""

from cloudml_magic.storage.address import Address
from cloudml_magic.storage.browser import BucketBrowser, Level
from cloudml_magic.storage.growth import Growth, ReadSoFar
from cloudml_magic.storage.objects import ObjectStorage
from cloudml_magic.storage.stored_object import StoredObject
from cloudml_magic.storage.uploader import Uploader

__all__ = ["Address", "BucketBrowser", "Growth", "Level", "ObjectStorage", "ReadSoFar", "StoredObject", "Uploader"]
