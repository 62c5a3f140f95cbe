"""Cloud Logging's `entries.list`: what a job printed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cloudml_magic.dialects.call import Call

LogLine = tuple[float, str, str]
"""When, how severe, and what."""

API = ("logging", "v2")


def list_entries(project: str, job_id: str, *, newest_first: bool = False, page_token: str | None = None) -> Call:
    """A page of a job's output."""
    body: dict[str, Any] = {
        "resourceNames": [f"projects/{project}"],
        "filter": f'resource.type="ml_job" AND resource.labels.job_id="{job_id}"',
        "orderBy": "timestamp desc" if newest_first else "timestamp asc",
        "pageSize": 1000,
    }
    if page_token:
        body["pageToken"] = page_token
    return Call("logging.entries.list", {}, body)


def read_entries(body: Mapping[str, Any]) -> tuple[list[str], str | None]:
    """The lines of a page and the token of the next page."""
    return [_text(entry) for entry in body.get("entries", [])], body.get("nextPageToken") or None


def read_lines(body: Mapping[str, Any]) -> tuple[list[LogLine], str | None]:
    """The lines of a page with their times and severities, and the token of the next page."""
    lines = [(_time(entry), str(entry.get("severity", "INFO")), _text(entry)) for entry in body.get("entries", [])]
    return lines, body.get("nextPageToken") or None


def _time(entry: Mapping[str, Any]) -> float:
    try:
        return datetime.fromisoformat(str(entry.get("timestamp"))).timestamp()
    except ValueError:
        return 0.0


def _text(entry: Mapping[str, Any]) -> str:
    payload = entry.get("jsonPayload")
    return str(payload.get("message", payload)) if payload else str(entry.get("textPayload", ""))
