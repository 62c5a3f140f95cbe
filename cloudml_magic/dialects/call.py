"""One call of a Google API before it is sent: a method's id in Google's own documents, its parameters, its body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """`method` is the id in the discovery document, such as `aiplatform.projects.locations.customJobs.create`.

    A call with `content` sends these bytes in place of a JSON body, with `query` behind its path.
    """

    method: str
    parameters: Mapping[str, str | int | list[str]] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = field(default=None, repr=False)
    query: Mapping[str, str] = field(default_factory=dict)
