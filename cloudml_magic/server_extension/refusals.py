"""From an error to what a page is told: the four parts, and the HTTP status that fits."""

from __future__ import annotations

from cloudml_magic.errors import CloudMLError

_STATUSES = {
    404: (
        "not-found",
        "unknown-job",
        "unknown-model",
        "unknown-version",
        "unknown-operation",
        "no-bucket",
        "no-such-object",
        "no-tensorboard",
    ),
    409: (
        "busy",
        "job-deployed",
        "job-left-no-export",
        "job-not-ended",
        "model-deployed",
        "model-not-deployed",
        "not-deployed",
        "object-exists",
        "removal-changed",
        "tensorboard-not-installed",
        "wrong-state",
    ),
    413: ("body-too-large", "instance-too-large", "too-many-instances", "upload-too-large"),
    507: ("upload-failed",),
    502: (
        "bucket-failed",
        "local-platform-not-installed",
        "platform-failed",
        "platform-start-slow",
        "platform-stopped",
        "platform-unreachable",
        "tensorboard-failed",
    ),
}
_STATUS_OF = {reference: status for status, references in _STATUSES.items() for reference in references}
_WORDS = {
    400: ("bad-request", "The request cannot be read.", "Reload the page; it may be older than the server."),
    403: ("not-allowed", "The Jupyter server did not let this request in.", "Log in again: reload the page."),
    404: ("not-found", "There is nothing at this address.", "Reload the page; it may be older than the server."),
    405: ("not-allowed", "This cannot be done at this address.", "Reload the page; it may be older than the server."),
    413: ("body-too-large", "What was sent is too large.", "Send less at once."),
}
_FAULT = (
    "server-fault",
    "The Jupyter server could not answer.",
    "The log of the Jupyter server holds the details; trying again does no harm.",
)


def status_of(error: CloudMLError) -> int:
    """The status of an error; what is not listed is something that was asked and cannot be."""
    return _STATUS_OF.get(error.reference, 400)


def parts_of(error: CloudMLError) -> dict[str, str]:
    """The four parts of an error."""
    return {"reference": error.reference, "what": error.what, "why": error.why, "next": error.next}


def parts_of_status(status: int, reason: str = "") -> dict[str, str]:
    """The four parts where Tornado or Jupyter refused a request, or where we have a fault."""
    reference, what, following = _WORDS.get(status, _FAULT)
    return {"reference": reference, "what": what, "why": reason, "next": following}
