"""Cloud Logging's `entries.list`: what a job printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cloudml_magic.dialects.call import Call

LogLine = tuple[float, str, str]
"""When, how severe, and what."""

API = ("logging", "v2")
_PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of a job's output, known by an id so that it is not taken twice."""

    id: str
    job_id: str
    time: float
    severity: str
    text: str


def list_entries(project: str, job_id: str, *, newest_first: bool = False, page_token: str | None = None) -> Call:
    """A page of a job's output."""
    return _list(project, _of_jobs([job_id]), newest_first=newest_first, page_token=page_token)


def list_entries_since(project: str, job_ids: Sequence[str], since: float) -> Call:
    """What several jobs printed from a moment on, as much as fits a page."""
    moment = datetime.fromtimestamp(since, UTC).isoformat().replace("+00:00", "Z")
    return _list(project, f'{_of_jobs(job_ids)} AND timestamp>="{moment}"')


def read_log_entries(body: Mapping[str, Any]) -> list[LogEntry]:
    """The lines of a page, each with its job and an id of its own."""
    return [
        LogEntry(
            id=f"{entry.get('timestamp')} {entry.get('insertId')}",
            job_id=str(((entry.get("resource") or {}).get("labels") or {}).get("job_id", "")),
            time=_time(entry),
            severity=str(entry.get("severity", "INFO")),
            text=_text(entry),
        )
        for entry in body.get("entries", [])
    ]


def read_entries(body: Mapping[str, Any]) -> tuple[list[str], str | None]:
    """The lines of a page and the token of the next page."""
    return [_text(entry) for entry in body.get("entries", [])], body.get("nextPageToken") or None


def read_lines(body: Mapping[str, Any]) -> tuple[list[LogLine], str | None]:
    """The lines of a page with their times and severities, and the token of the next page."""
    lines = [(_time(entry), str(entry.get("severity", "INFO")), _text(entry)) for entry in body.get("entries", [])]
    return lines, body.get("nextPageToken") or None


def _list(project: str, filter: str, *, newest_first: bool = False, page_token: str | None = None) -> Call:
    body: dict[str, Any] = {
        "resourceNames": [f"projects/{project}"],
        "filter": filter,
        "orderBy": "timestamp desc" if newest_first else "timestamp asc",
        "pageSize": _PAGE_SIZE,
    }
    if page_token:
        body["pageToken"] = page_token
    return Call("logging.entries.list", {}, body)


def _of_jobs(job_ids: Sequence[str]) -> str:
    named = " OR ".join(f'resource.labels.job_id="{id}"' for id in job_ids)
    return f'resource.type="ml_job" AND {named if len(job_ids) == 1 else f"({named})"}'


def _time(entry: Mapping[str, Any]) -> float:
    try:
        return datetime.fromisoformat(str(entry.get("timestamp"))).timestamp()
    except ValueError:
        return 0.0


def _text(entry: Mapping[str, Any]) -> str:
    payload = entry.get("jsonPayload")
    return str(payload.get("message", payload)) if payload else str(entry.get("textPayload", ""))
