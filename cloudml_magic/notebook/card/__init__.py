"""What a cell shows of a job: one view, three representations, always replaced together."""

from cloudml_magic.notebook.card.bundle import JOB_MIME, bundle
from cloudml_magic.notebook.card.view import JobView

__all__ = ["JOB_MIME", "JobView", "bundle"]
