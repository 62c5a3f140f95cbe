"""The line that a submission has in the ledger: noted before it is sent, and kept as long as it may have arrived."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from cloudml_magic.connection import Place
from cloudml_magic.errors import CloudMLError
from cloudml_magic.packaging import slug
from cloudml_magic.pipeline.session import ledger
from cloudml_magic.records import BatchSpec, JobSpec
from cloudml_magic.storage import Address

UNANSWERED = frozenset({"platform-unreachable", "answer-unreadable"})
"""How an error is called after which a job may be there all the same."""


def folder_of(bucket: Address, name: str, token: str) -> Address:
    """Where a job that was sent leaves what it makes."""
    return bucket / "jobs" / f"{slug(name)}-{token}"


@contextmanager
def noted(spec: JobSpec | BatchSpec, place: Place) -> Iterator[None]:
    """Within it a job is created. What was refused leaves no line.

    Where no answer came, or nobody waited for it, the line stays: who asks for the job looks for it by its token.
    """
    book = ledger()
    book.begin(spec.token, spec.name, place.target, place.parent, time.time())
    try:
        yield
    except CloudMLError as error:
        if error.reference not in UNANSWERED:
            book.forget(spec.token)
            raise
        looked_for = f"The job may have arrived all the same: `%ml_job {spec.name}` looks for it."
        raise CloudMLError(
            error.reference, error.what, why=error.why, next=f"{looked_for} {error.next}"
        ) from error.__cause__
