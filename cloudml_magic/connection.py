"""The only place that chooses target, address and dialect: from settings to a client and the objects of a bucket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from cloudml_magic.client import Access, Client
from cloudml_magic.client.sign_of_life import answers_soon
from cloudml_magic.errors import CloudMLError
from cloudml_magic.local_platform import settings as local
from cloudml_magic.local_platform.address import PlatformAddress, was_stopped
from cloudml_magic.local_platform.lifecycle import ensure_running, find_running
from cloudml_magic.places import PlatformPlaces
from cloudml_magic.records import Target
from cloudml_magic.settings import Settings
from cloudml_magic.storage import Address, BucketBrowser, ObjectStorage

_ONLY_LOOKING: ContextVar[bool] = ContextVar("only_looking", default=False)


@dataclass(frozen=True, slots=True)
class Place:
    """Where jobs of these settings go: enough to write a request, without contacting anything."""

    target: Target
    project: str
    region: str
    bucket: Address


class Connection:
    """A place, and the client and storage that reach it; nothing is contacted or started before its first use."""

    def __init__(self, place: Place, settings: Settings) -> None:
        self.place = place
        self._settings = settings
        self._lock = threading.Lock()
        self._access: Access | None = None
        self._seen = 0.0
        self._storage_client: tuple[Access, Any] | None = None

    @cached_property
    def client(self) -> Client:
        where = self.place
        return Client(self.locate, self.locate_again, target=where.target, project=where.project, region=where.region)

    @cached_property
    def storage(self) -> ObjectStorage:
        return ObjectStorage(self._google_storage)

    @cached_property
    def browser(self) -> BucketBrowser:
        return BucketBrowser(self._google_storage)

    def locate(self, search_again: bool = False) -> Access:
        """The platform's access; it is started if it does not run."""
        with self._lock:
            if _ONLY_LOOKING.get():
                # Where it does not run, who does more than look must not take it for running.
                self._access = None
                found = _found_platform()
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


def place(settings: Settings, target: str | None = None) -> Place:
    """Where jobs would go."""
    chosen = Target(settings.value("target", target) or Target.LOCAL)
    if chosen is Target.CLOUD:
        raise CloudMLError(
            "no-cloud-yet",
            "This version runs jobs on the local platform only.",
            why="The target is set to cloud.",
            next="Say `%ml_init --target local`; the cell stays as it is.",
        )
    return Place(
        chosen,
        settings.value("project") or local.PROJECT,
        settings.value("region") or local.REGION,
        Address(settings.value("bucket") or local.BUCKET),
    )


def running_platform(settings: Settings) -> PlatformAddress:
    """The local platform of this user, started with these settings if it does not run."""
    chosen = local.PlatformSettings.from_environment()
    if concurrent := concurrency(settings.value("concurrent_jobs")):
        chosen = replace(chosen, cpu_jobs=concurrent)
    if settings.value("spare") == "off":
        chosen = replace(chosen, spare=False)
    return ensure_running(settings=chosen)


class PlatformState(StrEnum):
    """Whether the platform of a target answers."""

    UP = "up"
    STOPPED = "stopped"
    UNREACHABLE = "unreachable"


@contextmanager
def only_looking() -> Iterator[None]:
    """Within it a platform that does not run is not started: who only looks changes nothing."""
    token = _ONLY_LOOKING.set(True)
    try:
        yield
    finally:
        _ONLY_LOOKING.reset(token)


def platform_standing() -> tuple[PlatformState, str]:
    """Whether the local platform runs, found out without starting it, and in words."""
    places = PlatformPlaces.of_this_user()
    found = find_running()
    if found is not None and answers_soon(found.endpoint, found.token):
        return PlatformState.UP, "The local platform runs."
    if found is not None:
        return PlatformState.UNREACHABLE, "The local platform does not answer; jobs that run go on."
    if not places.address_file.exists():
        return PlatformState.STOPPED, "The local platform has not run yet; it starts with the first job."
    if was_stopped(places):
        return PlatformState.STOPPED, "The local platform was stopped; it starts with the next job."
    return PlatformState.UNREACHABLE, "The local platform has ended unexpectedly; jobs that ran go on."


def platform_has_begun() -> bool:
    """Whether the local platform ever ran; if not, it has neither jobs nor models."""
    return PlatformPlaces.of_this_user().database.exists()


def _found_platform() -> PlatformAddress:
    found = find_running()
    state, words = platform_standing()
    if found is None or state is not PlatformState.UP:
        following = "Start it: `cloudml platform start`." if found is None else "`cloudml doctor` looks into it."
        raise CloudMLError(f"platform-{state}", words, next=following)
    return found


def concurrency(text: str | None) -> int | None:
    """How many jobs the local platform is to run at once; nothing where it decides itself."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1000):
        raise CloudMLError("bad-setting", f"concurrent_jobs cannot be {text!r}.", next="Use a number from 1 to 999.")
    return int(text)
