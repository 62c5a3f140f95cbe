"""Wildcards in the names of objects: `*` and `?` stay within a level, `**` crosses levels, `[a-z]` is one of a set."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WILD = re.compile(r"[*?\[]")
_TOKENS = re.compile(r"\*\*|\*|\?|\[[!^]?\]?[^\]]*\]|.", re.DOTALL)


def has_wildcards(text: str) -> bool:
    return _WILD.search(text) is not None


@dataclass(frozen=True, slots=True)
class Wildcards:
    """A pattern of names. What it matches is an object, or a folder by which objects beneath it are found."""

    pattern: str

    @property
    def beginning(self) -> str:
        """What every match begins with."""
        found = _WILD.search(self.pattern)
        return self.pattern[: found.start()] if found else self.pattern

    @property
    def crosses_levels(self) -> bool:
        return "**" in self.pattern

    def expression(self) -> re.Pattern[str]:
        """Matches whole names; its first group is the object that is meant, or the folder that a name is in."""
        parts = "".join(_expressed(token) for token in _TOKENS.findall(self.pattern))
        rest = "" if self.crosses_levels else "(?:/.*)?"
        return re.compile(f"({parts}){rest}\\Z", re.DOTALL)


def _expressed(token: str) -> str:
    if token == "**":
        return ".*"
    if token == "*":
        return "[^/]*"
    if token == "?":
        return "[^/]"
    if len(token) > 2 and token.startswith("["):
        inside = token[1:-1].replace("\\", r"\\").replace("[", r"\[")
        if inside.startswith(("!", "^")):
            inside = "^/" + inside[1:]
        return f"[{inside}]"
    return re.escape(token)
