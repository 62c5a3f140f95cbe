"""Whether the local platform runs, found out without starting it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum

from cloudml_magic.client.sign_of_life import answers_soon
from cloudml_magic.errors import CloudMLError
from cloudml_magic.local_platform.address import PlatformAddress, was_stopped
from cloudml_magic.local_platform.lifecycle import find_running
from cloudml_magic.places import PlatformPlaces

_ONLY_LOOKING: ContextVar[bool] = ContextVar("only_looking", default=False)


class PlatformState(StrEnum):
    """Whether the platform of a target answers."""

    UP = "up"
    STOPPED = "stopped"
    UNREACHABLE = "unreachable"


def is_only_looking() -> bool:
    """Whether whoever asks now only looks."""
    return _ONLY_LOOKING.get()


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


def found_platform() -> PlatformAddress:
    found = find_running()
    state, words = platform_standing()
    if found is None or state is not PlatformState.UP:
        following = "Start it: `cloudml platform start`." if found is None else "`cloudml doctor` looks into it."
        raise CloudMLError(f"platform-{state}", words, next=following)
    return found
