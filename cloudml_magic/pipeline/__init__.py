"""The arrows: from cells to jobs and from jobs to results, everything that a magic does, without IPython."""

from __future__ import annotations

from collections.abc import Callable

from cloudml_magic.history import ExecutedCell
from cloudml_magic.pipeline import files
from cloudml_magic.pipeline.batch import batch_predict, value_or_words
from cloudml_magic.pipeline.batch_job import BatchJob
from cloudml_magic.pipeline.cloud_setup import check_cloud
from cloudml_magic.pipeline.comparison import compare
from cloudml_magic.pipeline.costs import spending
from cloudml_magic.pipeline.deletion import deletable, delete, deletion_of, older_than
from cloudml_magic.pipeline.deployment import (
    Deployment,
    delete_model,
    deploy,
    model_lines,
    removal_of,
    undeploy,
)
from cloudml_magic.pipeline.evaluation import evaluate
from cloudml_magic.pipeline.exporting import export
from cloudml_magic.pipeline.images import build_image, built_images, set_up_image_registry
from cloudml_magic.pipeline.listing import jobs, list_jobs
from cloudml_magic.pipeline.lookup import job
from cloudml_magic.pipeline.options import TrainOptions
from cloudml_magic.pipeline.prediction import files_of, predict
from cloudml_magic.pipeline.quotas import quota, quota_console
from cloudml_magic.pipeline.sent_job import Job
from cloudml_magic.pipeline.session import init, target_of
from cloudml_magic.pipeline.static import module_of_notebook
from cloudml_magic.pipeline.training import prepare_here, submit, train
from cloudml_magic.records import JobEvent
from cloudml_magic.trainer.reporting import report

__all__ = [
    "BatchJob",
    "Deployment",
    "ExecutedCell",
    "Job",
    "TrainOptions",
    "batch_predict",
    "build_image",
    "built_images",
    "cancel",
    "check_cloud",
    "compare",
    "deletable",
    "delete",
    "delete_model",
    "deletion_of",
    "deploy",
    "evaluate",
    "export",
    "files",
    "files_of",
    "init",
    "job",
    "jobs",
    "list_jobs",
    "logs",
    "model_lines",
    "module_of_notebook",
    "older_than",
    "predict",
    "prepare_here",
    "quota",
    "quota_console",
    "removal_of",
    "report",
    "set_up_image_registry",
    "spending",
    "submit",
    "target_of",
    "train",
    "undeploy",
    "value_or_words",
    "wait",
]


def cancel(name: str = "latest") -> Job:
    """Asks a job to stop; it saves what there is."""
    found = job(name)
    found.cancel()
    return found


def logs(name: str = "latest", last: int | None = None) -> list[str]:
    """What a job printed: all of it, or the last lines."""
    return job(name).logs(last)


def wait(name: str = "latest", on_event: Callable[[JobEvent], None] | None = None) -> Job:
    """Blocks until a job has ended; raises if it failed."""
    return job(name).wait(on_event)
