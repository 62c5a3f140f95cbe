"""Jobs that are to go, with all that they left: those that there are, and what is left of those deleted elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cloudml_magic.connection import Connection, place_of
from cloudml_magic.errors import CloudMLError
from cloudml_magic.ledger import Submission
from cloudml_magic.pipeline.folder_users import free_versions_of
from cloudml_magic.pipeline.listing import jobs
from cloudml_magic.pipeline.lookup import job, name_and_age, submissions_of
from cloudml_magic.pipeline.options import seconds
from cloudml_magic.pipeline.sent_job import Job
from cloudml_magic.pipeline.session import CURRENT, connection, connection_to, ledger
from cloudml_magic.pipeline.submission import folder_of
from cloudml_magic.records import JobSnapshot, ModelVersion
from cloudml_magic.storage import Address

_NAMED = 10


@dataclass(frozen=True, slots=True)
class GoneJob:
    """A job that was deleted elsewhere, such as in Google's console: its line in the ledger, and perhaps its folder."""

    name: str
    resource_name: str
    folder: Address
    has_left_files: bool
    connection: Connection

    @property
    def words(self) -> str:
        """What deleting it takes away."""
        if self.has_left_files:
            return f"what {self.name}, deleted elsewhere, left in {self.folder}"
        return (
            f"the note of {self.name}, deleted elsewhere (nothing of it is in the bucket that is set; in another it"
            f" would be {self.folder.name})"
        )

    def check_deletable(self) -> list[ModelVersion]:
        """Refuses one whose model is deployed; the versions that will have lost their files."""
        return free_versions_of(self.name, self.folder, self.connection) if self.has_left_files else []

    def delete(self) -> None:
        """Removes its folder."""
        if self.has_left_files:
            self.connection.storage.delete_folder(self.folder)


def deletable(name: str) -> Job | GoneJob:
    """The job of a name, as `job` finds it; what is left of one if all of that name were deleted elsewhere."""
    try:
        return job(name)
    except CloudMLError as error:
        if error.reference != "not-found":
            raise
        wanted, back = name_and_age(name)
        gone = list(map(_gone, submissions_of(wanted)))
        if back >= len(gone):
            raise
        return gone[back]


def older_than(age: str, now: float) -> list[Job | GoneJob]:
    """Jobs that ended longer ago than `30d`, and what is left of those that were sent before that and are gone."""
    limit = now - (seconds(age) or 0)
    there_are = jobs()
    known = {found.last_seen.resource_name for found in there_are}
    target = connection().place.target
    sent = [
        line
        for line in ledger().latest()
        if line.target is target and line.time < limit and line.resource_name not in known
    ]
    return [*(found for found in there_are if _ended(found.last_seen) < limit), *_gone_of(sent)]


def deletion_of(found: Sequence[Job | GoneJob]) -> str:
    """What deleting jobs takes away, in words; refused where one goes on or its model is deployed."""
    there_are = [one.name for one in found if isinstance(one, Job)]
    parts = [one.words for one in found if isinstance(one, GoneJob)]
    if there_are:
        several = f" and {len(there_are) - _NAMED} more" if len(there_are) > _NAMED else ""
        parts.insert(0, f"{', '.join(there_are[:_NAMED])}{several} with all that they left in the bucket")
    titles = [version.title for one in found for version in one.check_deletable()]
    if titles:
        parts.append(f"{', '.join(titles)} cannot be deployed again")
    return "; ".join(parts)


def delete(found: Sequence[Job | GoneJob]) -> None:
    """Removes jobs, their folders and their lines in the ledger; none of them if one has to stay."""
    for one in found:
        one.check_deletable()
    book = ledger()
    for one in found:
        resource_name = one.resource_name
        one.delete()
        if submission := book.of_resource(resource_name):
            book.forget(submission.token)


def _gone_of(sent: Sequence[Submission]) -> Iterator[GoneJob]:
    """Those of which their place says that there is no such job; one that cannot be asked may have it."""
    for submission in sent:
        name = submission.resource_name
        if name is None or submission.is_unanswered:
            continue
        try:
            connection_to(place_of(CURRENT, submission.target, name)).client.job(name)
        except CloudMLError as error:
            if error.reference == "not-found":
                yield _gone(submission)


def _gone(submission: Submission) -> GoneJob:
    name = submission.resource_name or ""
    there = connection_to(place_of(CURRENT, submission.target, name))
    folder = folder_of(there.place.bucket, submission.name, submission.token)
    has_bucket = bool(there.place.bucket.bucket)
    return GoneJob(submission.name, name, folder, has_bucket and bool(there.storage.names(folder)), there)


def _ended(snapshot: JobSnapshot) -> float:
    return snapshot.ended if snapshot.state.is_final and snapshot.ended else float("inf")
