"""Where a client's calls go, and what they carry to be let in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Access:
    """An address and its bearer token, which no representation shows."""

    url: str
    token: str = field(repr=False)


Locate = Callable[[bool], Access]
"""Finds the access; True says that the last one did not answer and has to be looked for (or started) anew."""
