"""What a cell shows of a job: one view, three representations, always replaced together."""

from cloudml_magic.cards.job.bundle import JOB_MIME, MOST_CURVES, bundle, curve_document, document
from cloudml_magic.cards.job.view import JobView

__all__ = ["JOB_MIME", "MOST_CURVES", "JobView", "bundle", "curve_document", "document"]
