"""Preconditions of a request on the generation and metageneration of an object or bucket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cloudml_magic.local_platform.errors import PlatformError


class Versioned(Protocol):
    """What has a generation."""

    @property
    def generation(self) -> int: ...

    @property
    def metageneration(self) -> int: ...


class NotModifiedError(Exception):
    """The client holds what it asks for (304)."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What must hold of the current state; generation 0 means that there is none."""

    generation_match: int | None = None
    generation_not_match: int | None = None
    metageneration_match: int | None = None
    metageneration_not_match: int | None = None

    @classmethod
    def of(cls, parameters: Mapping[str, Any], prefix: str = "if") -> Conditions:
        """Those in a request's parameters; `ifSource` for the source of a copy."""
        return cls(
            parameters.get(f"{prefix}GenerationMatch"),
            parameters.get(f"{prefix}GenerationNotMatch"),
            parameters.get(f"{prefix}MetagenerationMatch"),
            parameters.get(f"{prefix}MetagenerationNotMatch"),
        )

    def check(self, current: Versioned | None, *, reading: bool = False) -> None:
        """Raises 412 where a condition fails, NotModifiedError where a reader already holds the current state."""
        generation = current.generation if current else 0
        metageneration = current.metageneration if current else None
        if self.generation_match is not None and self.generation_match != generation:
            raise _failed("generation")
        if self.metageneration_match is not None and self.metageneration_match != metageneration:
            raise _failed("metageneration")
        if self.generation_not_match == generation or (
            self.metageneration_not_match is not None and self.metageneration_not_match == metageneration
        ):
            if reading:
                raise NotModifiedError
            raise _failed("generation")


def _failed(what: str) -> PlatformError:
    return PlatformError(412, f"At least one of the pre-conditions you specified did not hold ({what}).")
