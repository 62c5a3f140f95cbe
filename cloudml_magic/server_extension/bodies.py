"""Reads the body of a request: JSON of a few known fields, each of its type and within its size, nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from cloudml_magic.errors import CloudMLError

Value = TypeVar("Value")
_DEEPEST = 64
# Halves of characters, which no file and no request can carry.
_LONE = re.compile(r"[\ud800-\udfff]")


class Fields:
    """The fields of a body, taken one by one; `end` refuses what nobody took."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = dict(content)

    @classmethod
    def of(cls, body: bytes) -> Fields:
        """The fields of a JSON object."""
        try:
            content = json.loads(body or b"{}", parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise refused("The body is no JSON.") from None
        if not isinstance(content, dict):
            raise refused("The body is no JSON object.")
        _check_depth(content)
        return cls(content)

    def text(self, name: str, longest: int, *, required: bool = True) -> str | None:
        """A text that is not empty."""
        value = self._content.pop(name, None)
        if value is None and not required:
            return None
        if not isinstance(value, str) or not value.strip() or len(value) > longest or _LONE.search(value):
            raise refused(f"`{name}` must be a text of 1 to {longest} characters.")
        return value

    def required_text(self, name: str, longest: int) -> str:
        """A text that has to be there."""
        value = self.text(name, longest)
        assert value is not None
        return value

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._content.pop(name, None)
        if not isinstance(value, bool):
            raise refused(f"`{name}` must be true or false.")
        return value

    def items(self, name: str, most: int, read: Callable[[Any], Value]) -> list[Value]:
        """A list with something in it, each read by a function."""
        value = self._content.pop(name, None)
        if not isinstance(value, list) or not 1 <= len(value) <= most:
            raise refused(f"`{name}` must be a list of 1 to {most}.")
        return [read(item) for item in value]

    def anything(self, name: str) -> Any:
        """A value of any kind that is not null."""
        value = self._content.pop(name, None)
        if value is None:
            raise refused(f"`{name}` is missing.")
        return value

    def has(self, name: str) -> bool:
        return name in self._content

    def end(self) -> None:
        """Refuses fields that are not known here."""
        if self._content:
            raise refused(f"Unknown: {', '.join(repr(name[:40]) for name in list(self._content)[:5])}.")


def refused(why: str) -> CloudMLError:
    """A request that this version cannot understand."""
    return CloudMLError(
        "bad-request",
        "The request cannot be read.",
        why=why,
        next="Reload the page; it may be older than the server.",
    )


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _check_depth(content: Any) -> None:
    level = [content]
    for _ in range(_DEEPEST):
        level = [
            item
            for outer in level
            if isinstance(outer, dict | list)
            for item in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(item, dict | list)
        ]
        if not level:
            return
    raise refused("The body is nested too deeply.")
