"""Cloud Logging: entries.list over the captured output of jobs."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.filters import Subject, compiled
from cloudml_magic.local_platform.logs import LogLine, ReplicaLog, replicas
from cloudml_magic.local_platform.resources.jobs import JobResources, StoredJob
from cloudml_magic.local_platform.resources.ml_jobs import task_name
from cloudml_magic.local_platform.routes.call import Call, Handler
from cloudml_magic.local_platform.settings import PROJECT
from cloudml_magic.local_platform.times import written
from cloudml_magic.local_platform.wire import Response, json_response

_LARGEST_PAGE = 1000
_JOB_ID = re.compile(r'resource\.labels\.job_id\s*=\s*"?(\w+)"?')
# Clients of the older API begin each filter with it, and it holds of every entry here.
_ANY_JOB = re.compile(r'\(\s*resource\.type="?ml_job"?\s+OR\s+resource\.type="?cloudml_job"?\s*\)')


class LoggingRoutes:
    """Handler of `logging.entries.list`."""

    def __init__(self, resources: JobResources, jobs: Path) -> None:
        self._resources = resources
        self._jobs = jobs

    def handlers(self) -> Mapping[str, Handler]:
        return {"logging.entries.list": self.list}

    def list(self, call: Call) -> Response:
        body = call.body
        if not body.get("resourceNames"):
            raise PlatformError(400, "resource_names: Required field is not set.")
        order = body.get("orderBy", "timestamp asc") or "timestamp asc"
        if order not in ("timestamp asc", "timestamp desc"):
            raise PlatformError(400, f"Invalid order_by: {order[:60]!r}; use 'timestamp asc' or 'timestamp desc'.")
        text = body.get("filter", "")
        holds = compiled(text)
        size = min(body.get("pageSize") or 50, _LARGEST_PAGE)
        if size < 0:
            raise PlatformError(400, "page_size must not be negative.")
        skip = _read_token(body.get("pageToken", ""), text, order)
        page: list[dict[str, Any]] = []
        answer: dict[str, Any] = {}
        for number, entry in enumerate(self._entries(text, descending=order.endswith("desc"), holds=holds)):
            if number < skip:
                continue
            if len(page) == size:
                token = json.dumps([skip + size, text, order])
                answer["nextPageToken"] = base64.urlsafe_b64encode(token.encode()).decode()
                break
            page.append(entry)
        if page:
            answer["entries"] = page
        return json_response(answer)

    def _entries(self, text: str, *, descending: bool, holds: Any) -> Iterator[dict[str, Any]]:
        text = _ANY_JOB.sub("", text)
        named = _JOB_ID.findall(text)
        if len(set(named)) == 1 and " OR " not in text and "NOT" not in text:
            job = self._resources.job(named[0])
            jobs = [job] if job else []
        else:
            jobs = self._resources.jobs()
        if len(jobs) == 1 and len(replicas(self._jobs / jobs[0].id)) == 1 and not descending:
            # As it was printed, without holding all of it.
            yield from (entry for entry in self._of_job(jobs[0]) if holds(_subject(entry)))
            return
        found = [entry for job in jobs for entry in self._of_job(job) if holds(_subject(entry))]
        found.sort(key=lambda entry: (entry["timestamp"], entry["insertId"]), reverse=descending)
        yield from found

    def _of_job(self, job: StoredJob) -> Iterator[dict[str, Any]]:
        for replica in replicas(self._jobs / job.id):
            for line in ReplicaLog(self._jobs / job.id / replica).lines(ended=job.state.is_final):
                yield entry_body(job, replica, line)


def entry_body(job: StoredJob, replica: str, line: LogLine) -> dict[str, Any]:
    """A line as a log entry."""
    task = task_name(job, replica)
    entry: dict[str, Any] = {
        "insertId": f"{task}-{line.offset:012d}",
        "logName": f"projects/{PROJECT}/logs/{task}",
        "timestamp": written(line.time),
        "severity": line.severity,
        "resource": {
            "type": "ml_job",
            "labels": {"project_id": PROJECT, "job_id": job.id, "task_name": task},
        },
        "labels": {"ml.googleapis.com/job_id/log_area": "root"},
    }
    if line.payload is None:
        entry["textPayload"] = line.text
    else:
        entry["jsonPayload"] = line.payload
    return entry


def _subject(entry: Mapping[str, Any]) -> Subject:
    def value(field: str) -> Any:
        if field.startswith("labels."):
            return entry["labels"].get(field.removeprefix("labels."))
        found: Any = entry
        for part in field.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found

    return value


def _read_token(token: str, text: str, order: str) -> int:
    if not token:
        return 0
    try:
        skip, its_text, its_order = json.loads(base64.urlsafe_b64decode(token))
        if (its_text, its_order) != (text, order) or not isinstance(skip, int) or skip < 0:
            raise ValueError
        return skip
    except (ValueError, TypeError):
        raise PlatformError(400, "page_token does not belong to this request.") from None
