"""Images that are built for jobs with a long list of requirements."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BuildSnapshot:
    """How the build of an image stands at one moment, in words; `log` is where its log can be read."""

    id: str
    stage: str
    is_final: bool
    is_built: bool
    why: str = ""
    log: str = ""


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """An image that holds requirements on top of another one; `digest` follows from the two."""

    address: str
    digest: str
    base: str
    requirements: tuple[str, ...]
