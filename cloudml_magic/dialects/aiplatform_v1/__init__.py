"""Vertex AI's `aiplatform` v1: records to calls and answers to records, no I/O, one file for each kind of resource."""

from cloudml_magic.dialects.aiplatform_v1.jobs import (
    cancel_job,
    create_job,
    delete_job,
    get_job,
    list_jobs,
    masked,
    read_job,
    read_jobs,
)
from cloudml_magic.dialects.aiplatform_v1.resources import TOKEN_LABEL

API = ("aiplatform", "v1")

__all__ = [
    "API",
    "TOKEN_LABEL",
    "cancel_job",
    "create_job",
    "delete_job",
    "get_job",
    "list_jobs",
    "masked",
    "read_job",
    "read_jobs",
]
