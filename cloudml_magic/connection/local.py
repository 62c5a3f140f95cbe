"""The local platform of this user: found, started where needed, and reached."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from cloudml_magic.client import Access, Client
from cloudml_magic.client.access import Locate
from cloudml_magic.client.event_stream import EventStream
from cloudml_magic.connection.base import Connection
from cloudml_magic.connection.place import Place
from cloudml_magic.connection.standing import found_platform, is_only_looking
from cloudml_magic.errors import CloudMLError
from cloudml_magic.local_platform import settings as local
from cloudml_magic.local_platform.address import PlatformAddress, was_stopped
from cloudml_magic.local_platform.lifecycle import ensure_running
from cloudml_magic.places import PlatformPlaces
from cloudml_magic.settings import Settings


class LocalConnection(Connection):
    """The connection to the local platform; it is started at the first use."""

    def __init__(self, place: Place, settings: Settings) -> None:
        super().__init__(place)
        self._settings = settings
        self._lock = threading.Lock()
        self._access: Access | None = None
        self._seen = 0.0
        self._storage_client: tuple[Access, Any] | None = None

    @cached_property
    def client(self) -> Client:
        where = self.place
        watch = EventStream(self.locate_again)
        return Client(self.caller, watch, where.speaks, target=where.target, project=where.project, region=where.region)

    def _locate(self, api: tuple[str, str]) -> Locate:
        return self.locate

    def check_bucket(self, name: str | None = None) -> None:
        """Every bucket of this machine is this user's."""

    def locate(self, search_again: bool = False) -> Access:
        """The platform's access; it is started if it does not run."""
        with self._lock:
            if is_only_looking():
                # Where it does not run, who does more than look must not take it for running.
                self._access = None
                found = found_platform()
                self._access = Access(found.endpoint, found.token)
            elif self._access is None or search_again or not self._answers(self._access):
                address = running_platform(self._settings)
                self._access = Access(address.endpoint, address.token)
            return self._access

    def locate_again(self, search_again: bool = False) -> Access:
        """As `locate`, for who only watches: a platform that was stopped stays stopped, a crashed one is started."""
        if search_again and was_stopped(PlatformPlaces.of_this_user()):
            raise ConnectionRefusedError("The local platform was stopped.")
        return self.locate(search_again)

    def _answers(self, access: Access) -> bool:
        """Whether the platform still listens; asked at most once a second, so that a dead one is started again."""
        now = time.monotonic()
        if now - self._seen < 1.0:
            return True
        address = urlsplit(access.url)
        try:
            socket.create_connection((address.hostname or "", address.port or 80), timeout=2).close()
        except OSError:
            return False
        self._seen = now
        return True

    def _google_storage(self) -> Any:
        access = self.locate()
        if self._storage_client is None or self._storage_client[0] != access:
            from google.cloud import storage
            from google.oauth2.credentials import Credentials

            client = storage.Client(
                project=self.place.project,
                credentials=Credentials(token=access.token),
                client_options={"api_endpoint": access.url},
            )
            # A proxy of the environment must not come between this process and its own machine.
            client._http.trust_env = False
            self._storage_client = (access, client)
        return self._storage_client[1]


def running_platform(settings: Settings) -> PlatformAddress:
    """The local platform of this user, started with these settings if it does not run."""
    chosen = local.PlatformSettings.from_environment()
    if concurrent := concurrency(settings.value("concurrent_jobs")):
        chosen = replace(chosen, cpu_jobs=concurrent)
    if settings.value("spare") == "off":
        chosen = replace(chosen, spare=False)
    return ensure_running(settings=chosen)


def concurrency(text: str | None) -> int | None:
    """How many jobs the local platform is to run at once; nothing where it decides itself."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1000):
        raise CloudMLError("bad-setting", f"concurrent_jobs cannot be {text!r}.", next="Use a number from 1 to 999.")
    return int(text)
