"""Names and times of the old API."""

from __future__ import annotations

from datetime import datetime


def parent(project: str, region: str) -> str:
    """Where the resources of a project are listed, wherever they lie."""
    return f"projects/{project}"


def letters(name: str) -> str:
    """A name as the API allows it: letters, digits and underscores, a letter first."""
    plain = "".join(character if character.isascii() and character.isalnum() else "_" for character in name)
    return plain if plain[:1].isalpha() else f"x_{plain}"


def seconds(text: str | None) -> float | None:
    """An RFC 3339 time as seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp() if text else None
