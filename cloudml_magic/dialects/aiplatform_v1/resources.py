"""What every resource of Vertex AI has: a name, times, and where it lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloudml_magic.dialects.call import Call

TOKEN_LABEL = "cloudml-token"
PAGE_SIZE = 100
_ACTIVE = " OR ".join(
    f'state="JOB_STATE_{state}"' for state in ("QUEUED", "PENDING", "RUNNING", "CANCELLING", "PAUSED")
)


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


@dataclass(frozen=True, slots=True)
class JobCalls:
    """The calls that both kinds of jobs have in common; `collection` is where Google's documents keep their methods."""

    collection: str

    def resource_name(self, project: str, region: str, job_id: str) -> str:
        """What a place calls the job of an id."""
        return f"{parent(project, region)}/{self.collection.rpartition('.')[2]}/{job_id}"

    def get(self, resource_name: str) -> Call:
        """Asks how one job stands."""
        return Call(f"{self.collection}.get", {"name": resource_name})

    def list(
        self,
        project: str,
        region: str,
        *,
        token: str | None = None,
        active: bool = False,
        page_token: str | None = None,
    ) -> Call:
        """The jobs of a place, those that go on, or the one that a submission token became."""
        filter = f"labels.{TOKEN_LABEL}={quoted(token)}" if token else _ACTIVE if active else None
        return Call(f"{self.collection}.list", listing(parent(project, region), page_token, filter))

    def cancel(self, resource_name: str) -> Call:
        """Asks one job to stop."""
        return Call(f"{self.collection}.cancel", {"name": resource_name}, {})

    def delete(self, resource_name: str) -> Call:
        """Removes one job that has ended."""
        return Call(f"{self.collection}.delete", {"name": resource_name})
