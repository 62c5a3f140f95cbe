"""The dialect in which a place is spoken with: which translation makes and reads its jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cloudml_magic.client.models import Models
from cloudml_magic.client.old_models import OldModels
from cloudml_magic.dialects import aiplatform_v1, ml_v1
from cloudml_magic.dialects.aiplatform_v1 import batch, resources
from cloudml_magic.dialects.aiplatform_v1 import jobs as custom
from cloudml_magic.dialects.call import Call
from cloudml_magic.dialects.ml_v1 import jobs as old
from cloudml_magic.dialects.ml_v1 import names
from cloudml_magic.records import BatchSpec, DialectName, JobKind, JobSnapshot, JobSpec, Target


class JobDialect(Protocol):
    """What one kind of jobs is asked."""

    def resource_name(self, project: str, region: str, job_id: str) -> str: ...
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
    def delete_job(self, resource_name: str) -> Call | None: ...
    def read_job(self, body: Mapping[str, Any], target: Target) -> JobSnapshot: ...
    def read_jobs(self, body: Mapping[str, Any], target: Target) -> tuple[list[JobSnapshot], str | None]: ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """One of Google's APIs for jobs."""

    api: tuple[str, str]
    kinds: Mapping[JobKind, JobDialect]
    parent: Callable[[str, str], str]
    create_job: Callable[[JobSpec, str, str], Call]
    create_batch_job: Callable[[BatchSpec, str, str], Call]
    models: type[Models] | type[OldModels]

    def of(self, resource_name: str) -> JobDialect:
        """The translation that speaks of the job of this name."""
        return self.kinds[self.kind_of(resource_name)]

    def kind_of(self, resource_name: str) -> JobKind:
        """What kind of job has this name."""
        return JobKind.BATCH if "/batchPredictionJobs/" in resource_name else JobKind.TRAINING


def dialect(name: DialectName, project: str) -> Dialect:
    """The dialect of a name, for the jobs of a project."""
    if name is DialectName.ML_V1:
        kinds = {kind: old.Jobs(kind, project) for kind in JobKind}
        return Dialect(ml_v1.API, kinds, names.parent, old.create_job, old.create_batch_job, OldModels)
    vertex = {JobKind.TRAINING: custom, JobKind.BATCH: batch}
    return Dialect(aiplatform_v1.API, vertex, resources.parent, custom.create_job, batch.create_batch_job, Models)
