"""Vertex AI: what custom jobs and batch prediction jobs answer alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from cloudml_magic.local_platform.resources.jobs import (
    COLLECTIONS,
    JobResources,
    StoredJob,
    check_cancellable,
    check_deletable,
)
from cloudml_magic.local_platform.routes.call import Call, Handler, methods
from cloudml_magic.local_platform.routes.pages import page
from cloudml_magic.local_platform.wire import Response, json_response
from cloudml_magic.records import JobKind

FIELDS = frozenset({"state", "displayName", "name", "labels", "createTime", "updateTime", "startTime", "endTime"})
OUTPUT = frozenset({"name", "state", "createTime", "startTime", "endTime", "updateTime", "error", "satisfiesPzi",
                    "satisfiesPzs"})  # fmt: skip
"""What only a server says of a job; whoever sends it is not heard."""


class Runner(Protocol):
    """Whoever runs the jobs."""

    def check(self, body: Mapping[str, Any]) -> None: ...
    def submit(self, job_id: str) -> None: ...
    def cancel(self, job_id: str) -> None: ...
    def delete_files(self, job_id: str, body: Mapping[str, Any]) -> None: ...
    def position(self, job_id: str) -> int | None: ...
    def start(self) -> None: ...
    def close(self) -> None: ...


class JobRoutes(ABC):
    """Handlers of one kind of jobs."""

    kind: ClassVar[JobKind]
    filtered: ClassVar[frozenset[str]] = FIELDS

    def __init__(self, resources: JobResources, runner: Runner) -> None:
        self._resources = resources
        self._runner = runner

    def handlers(self) -> Mapping[str, Handler]:
        return methods(
            f"aiplatform.projects.locations.{COLLECTIONS[self.kind]}",
            create=self.create,
            get=self.get,
            list=self.list,
            cancel=self.cancel,
            delete=self.delete,
        )

    @abstractmethod
    def create(self, call: Call) -> Response:
        """Checks and keeps a new job, and hands it to the runner."""

    @abstractmethod
    def body(self, job: StoredJob) -> dict[str, Any]:
        """The resource of a job, as it is answered."""

    def get(self, call: Call) -> Response:
        return json_response(self.body(self._job(call)))

    def list(self, call: Call) -> Response:
        location = call.path["locationsId"]
        jobs = [job for job in self._resources.jobs(self.kind) if job.location and location in ("-", job.location)]
        return page(call, COLLECTIONS[self.kind], jobs, body=self.body, fields=self.filtered)

    def cancel(self, call: Call) -> Response:
        job = self._job(call)
        check_cancellable(job)
        if not job.state.is_final:
            self._runner.cancel(job.id)
        return json_response({})

    def delete(self, call: Call) -> Response:
        job = self._job(call)
        check_deletable(job)
        operation = self._resources.delete_job(job)
        self._runner.delete_files(job.id, job.body)
        return json_response(operation)

    def _kept(self, job: StoredJob, is_new: bool) -> Response:
        if is_new:
            self._runner.submit(job.id)
        return json_response(self.body(job))

    def _job(self, call: Call) -> StoredJob:
        return self._resources.named(call.path, self.kind)
