"""Which translation speaks of which kind of job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from cloudml_magic.dialects.aiplatform_v1 import batch
from cloudml_magic.dialects.aiplatform_v1 import jobs as custom
from cloudml_magic.dialects.call import Call
from cloudml_magic.records import JobKind, JobSnapshot, Target


class JobDialect(Protocol):
    """What the two kinds of jobs have in common."""

    def get_job(self, resource_name: str) -> Call: ...
    def list_jobs(
        self,
        project: str,
        region: str,
        *,
        token: str | None = None,
        active: bool = False,
        page_token: str | None = None,
    ) -> Call: ...
    def cancel_job(self, resource_name: str) -> Call: ...
    def delete_job(self, resource_name: str) -> Call: ...
    def read_job(self, body: Mapping[str, Any], target: Target) -> JobSnapshot: ...
    def read_jobs(self, body: Mapping[str, Any], target: Target) -> tuple[list[JobSnapshot], str | None]: ...


JOB_DIALECTS: dict[JobKind, JobDialect] = {JobKind.TRAINING: custom, JobKind.BATCH: batch}
COLLECTIONS = {JobKind.TRAINING: "customJobs", JobKind.BATCH: "batchPredictionJobs"}


def dialect_of(resource_name: str) -> JobDialect:
    """The translation that speaks of the job of this name."""
    return JOB_DIALECTS[JobKind.BATCH if COLLECTIONS[JobKind.BATCH] in resource_name else JobKind.TRAINING]
