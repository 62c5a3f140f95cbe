"""From what a user calls a job to the job: `latest`, NAME, NAME~1, or an id."""

from __future__ import annotations

import re
import time
from dataclasses import replace

from cloudml_magic.connection import Connection, place_of
from cloudml_magic.errors import CloudMLError
from cloudml_magic.ledger import Submission
from cloudml_magic.pipeline.batch_job import BatchJob
from cloudml_magic.pipeline.sent_job import Job
from cloudml_magic.pipeline.session import CURRENT, connection, connection_to, ledger
from cloudml_magic.records import JobKind, JobSnapshot

_LONGEST_SUBMISSION = 3600.0
REMEMBERED = 200


def job(name: str = "latest") -> Job:
    """The latest job of a name, `NAME~1` the one before, `latest` the one that was sent last, or a job's id."""
    found = find_job(name)
    if found is not None:
        return found
    if name.isascii() and name.isdigit():
        return job_of_id(name)
    raise _unknown(name)


def find_job(name: str) -> Job | None:
    """The job of a name, as `job` finds it, or None if no job of that name was sent.

    One that was deleted elsewhere, such as in Google's console, is passed over.
    """
    wanted, back = name_and_age(name)
    found, gone = 0, None
    for submission in submissions_of(wanted):
        try:
            one = _of(submission)
        except CloudMLError as error:
            if error.reference != "not-found":
                raise
            gone = error
            continue
        if found == back:
            return one
        found += 1
    if gone is not None and not found:
        raise CloudMLError(
            gone.reference,
            gone.what,
            why=gone.why,
            next=f"If it was deleted elsewhere, `%ml_jobs --delete {name}` removes what it left.",
        ) from gone
    return None


def job_of_id(identifier: str) -> Job:
    """The job of an id, whatever jobs are called: one sent to the cloud from here, or one where jobs go now."""
    for submission in ledger().in_cloud(REMEMBERED):
        if (submission.resource_name or "").endswith(f"/{identifier}"):
            return _of(submission)
    there = connection()
    return job_of(there.client.job_of_id(identifier), there)


def job_of(snapshot: JobSnapshot, there: Connection) -> Job:
    """What a platform says of a job, as the job."""
    return BatchJob(snapshot, there) if snapshot.kind is JobKind.BATCH else Job(snapshot, there)


def name_and_age(name: str) -> tuple[str, int]:
    """`NAME~1` as the name and how many to go back."""
    match = re.fullmatch(r"(.+?)~(\d{1,4})", name)
    return (match[1], int(match[2])) if match else (name, 0)


def submissions_of(name: str) -> list[Submission]:
    """The submissions of a name that arrived, as far as is known, latest first; all of them for `latest`."""
    found: list[Submission] = []
    trouble: CloudMLError | None = None
    for submission in ledger().latest() if name == "latest" else ledger().named(name):
        try:
            settled = _settled(submission)
        except CloudMLError as error:
            # A place that cannot be asked now, for one that may have arrived there, hides no other job.
            trouble = error
            continue
        if settled.resource_name:
            found.append(settled)
    if trouble is not None and not found:
        raise trouble
    return found


def _settled(submission: Submission) -> Submission:
    """A line whose answer never came, because its kernel died, is completed if the job arrived where it was sent."""
    if not submission.is_unanswered:
        return submission
    there = connection_to(place_of(CURRENT, submission.target, None, submission.parent))
    if found := there.client.submitted(submission.token):
        ledger().complete(submission.token, found.resource_name)
        return replace(submission, resource_name=found.resource_name, parent=None)
    # A line of an earlier version does not say where it was sent. Elsewhere than where jobs go now its job may run
    # and cost, so that such a line is kept: it costs a question, a job that nobody knows of costs money.
    if submission.parent and time.time() - submission.time > _LONGEST_SUBMISSION:
        _give_up(submission)
    return submission


def _give_up(submission: Submission) -> None:
    """It never arrived: a job that was to be moved is what it was before, another is none."""
    if submission.resource_name:
        ledger().complete(submission.token, submission.resource_name)
    else:
        ledger().forget(submission.token)


def _of(submission: Submission) -> Job:
    assert submission.resource_name is not None
    there = connection_to(place_of(CURRENT, submission.target, submission.resource_name))
    return job_of(there.client.job(submission.resource_name), there)


def _unknown(name: str) -> CloudMLError:
    names = list(dict.fromkeys(submission.name for submission in ledger().latest()))
    known = submissions_of(name_and_age(name)[0])
    why = f"Jobs of that name: {len(known)}." if known else ""
    return CloudMLError(
        "unknown-job",
        "No job was sent yet." if name == "latest" else f"There is no job {name!r}.",
        why=why,
        next=f"The latest are: {', '.join(names[:8])}." if names else "Put `%%ml_train NAME` on the cell that trains.",
    )
