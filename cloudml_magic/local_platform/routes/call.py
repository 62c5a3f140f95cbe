"""One checked request on its way to a handler, and the table by which handlers are found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cloudml_magic.local_platform.wire import Request, Response


@dataclass(frozen=True, slots=True)
class Call:
    """A method's parameters, typed, and its body in the form of its schema."""

    method: str
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    request: Request


Handler = Callable[[Call], Response]


def methods(prefix: str, **handlers: Handler) -> dict[str, Handler]:
    """The handlers of a resource under Google's ids of its methods."""
    return {f"{prefix}.{name}": handler for name, handler in handlers.items()}
