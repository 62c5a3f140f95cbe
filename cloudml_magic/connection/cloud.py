"""Google Cloud: Application Default Credentials, an address for each API, and a watch that asks sparingly."""

from __future__ import annotations

import math
import os
import time
from functools import cached_property
from typing import Any

from cloudml_magic.client import Access, Client
from cloudml_magic.client.access import Locate
from cloudml_magic.client.cloud_watch import CloudWatch
from cloudml_magic.client.cloud_watch.questions import CloudQuestions
from cloudml_magic.client.google_credentials import GoogleCredentials
from cloudml_magic.client.hosts import host, overridden
from cloudml_magic.connection.base import Connection
from cloudml_magic.connection.place import Place
from cloudml_magic.dialects import logging_v2, resource_manager_v3
from cloudml_magic.errors import CloudMLError

_CREDENTIALS = GoogleCredentials()
# A bucket may be deleted, and its name taken by somebody else.
_OWNER_SECONDS = 300.0


class CloudConnection(Connection):
    """The connection to a project and a region of Google's."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._storage_client: tuple[Any, Any] | None = None
        self._own_buckets: dict[str, float] = {}

    @cached_property
    def client(self) -> Client:
        where = self.place
        dialect = where.speaks
        asked = self.caller(dialect.api), self.caller(logging_v2.API)
        questions = CloudQuestions(*asked, self.storage, dialect, where.project, where.region)
        watch = CloudWatch(questions)
        return Client(self.caller, watch, dialect, target=where.target, project=where.project, region=where.region)

    def _locate(self, api: tuple[str, str]) -> Locate:
        def locate(search_again: bool) -> Access:
            url = host(api[0], self.place.region, os.environ)
            return Access(url, google=_CREDENTIALS.get(search_again))

        return locate

    def credentials(self) -> Any:
        """Who this user is for Google."""
        return _CREDENTIALS.get()

    def default_project(self) -> str | None:
        """The project that this user's credentials name."""
        return _CREDENTIALS.project()

    def check_bucket(self, name: str | None = None) -> None:
        """Refuses another project's bucket: whoever owns it could read and change what is sent there."""
        name = name or self.place.bucket.bucket
        if time.monotonic() - self._own_buckets.get(name, -math.inf) < _OWNER_SECONDS:
            return
        owner = self.browser.facts(name).project_number
        number = resource_manager_v3.read_number(
            self.caller(resource_manager_v3.API).perform(resource_manager_v3.get_project(self.place.project))
        )
        if owner != number:
            raise foreign_bucket(name, self.place.project)
        self._own_buckets[name] = time.monotonic()

    def _google_storage(self) -> Any:
        credentials = _CREDENTIALS.get()
        if self._storage_client is None or self._storage_client[0] is not credentials:
            from google.cloud import storage

            address = overridden("storage", os.environ)
            options = {"api_endpoint": address} if address else None
            client = storage.Client(project=self.place.project, credentials=credentials, client_options=options)
            self._storage_client = (credentials, client)
        return self._storage_client[1]


def foreign_bucket(name: str, project: str) -> CloudMLError:
    """A bucket of this name exists, and it is somebody else's."""
    return CloudMLError(
        "foreign-bucket",
        f"gs://{name} does not belong to project {project}.",
        why="Whoever owns a bucket can read and change what is sent there, and your job would run it.",
        next="Choose a name of your own: `%ml_init --bucket NAME --setup` makes it. Nothing was sent.",
    )
