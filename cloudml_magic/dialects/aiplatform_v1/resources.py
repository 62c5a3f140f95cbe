"""What every resource of Vertex AI has: a name, times, and where it lies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

TOKEN_LABEL = "cloudml-token"
PAGE_SIZE = 100


def parent(project: str, region: str) -> str:
    """Where the resources of a place are listed."""
    return f"projects/{project}/locations/{region}"


def seconds(text: str | None) -> float | None:
    """An RFC 3339 time as seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp() if text else None


def listing(where: str, page_token: str | None = None, filter: str | None = None) -> dict[str, str | int]:
    """The parameters of a list call."""
    parameters: dict[str, str | int] = {"parent": where, "pageSize": PAGE_SIZE}
    if filter:
        parameters["filter"] = filter
    if page_token:
        parameters["pageToken"] = page_token
    return parameters


def quoted(value: str) -> str:
    """A text as a filter writes it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def next_page(body: Mapping[str, Any]) -> str | None:
    """The token of the page after this one."""
    return body.get("nextPageToken") or None
