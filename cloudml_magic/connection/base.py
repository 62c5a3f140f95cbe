"""What every place is reached by: callers of its APIs, a client of its jobs and models, and its buckets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache, cached_property
from typing import Any

from cloudml_magic.client import Caller, Client
from cloudml_magic.client.access import Locate
from cloudml_magic.connection.place import Place
from cloudml_magic.dialects.protection import protected
from cloudml_magic.places import known_files_file
from cloudml_magic.storage import BucketBrowser, ObjectStorage, Uploader
from cloudml_magic.storage.keep_alive import Door, KeepAlive
from cloudml_magic.storage.known_files import KnownFiles


class Connection(ABC):
    """A place and what reaches it; nothing is contacted or started before its first use."""

    def __init__(self, place: Place) -> None:
        self.place = place

    @property
    @abstractmethod
    def client(self) -> Client:
        """Asks about jobs and models."""

    def caller(self, api: tuple[str, str]) -> Caller:
        """Calls an API of the place, by its name and version."""
        return Caller(self._locate(api), api, lambda call: protected(call, self.place.protection))

    @abstractmethod
    def _locate(self, api: tuple[str, str]) -> Locate:
        """What finds the address of an API."""

    @abstractmethod
    def check_bucket(self, name: str | None = None) -> None:
        """Refuses a bucket that nothing may be sent to; the one that is set, where none is named."""

    @cached_property
    def storage(self) -> ObjectStorage:
        """Reads and writes objects."""
        return ObjectStorage(self._google_storage)

    @cached_property
    def browser(self) -> BucketBrowser:
        """Looks through buckets."""
        return BucketBrowser(self._google_storage)

    @cached_property
    def uploader(self) -> Uploader:
        """Sends folders of files."""
        return Uploader(KeepAlive(self._door), cache(lambda: KnownFiles(known_files_file())))

    def _door(self, search_again: bool) -> Door:
        """What a request to Cloud Storage needs that goes over no library."""
        access = self._locate(("storage", "v1"))(search_again)
        return Door(access.url, access.headers())

    @abstractmethod
    def _google_storage(self) -> Any:
        """Google's own client of Cloud Storage."""
