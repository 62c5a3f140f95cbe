"""The jobs that there are: where jobs go now, and in the cloud wherever else some were sent from here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import islice

from cloudml_magic.connection import Place, place_of
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.lookup import REMEMBERED, job_of
from cloudml_magic.pipeline.sent_job import Job
from cloudml_magic.pipeline.session import CURRENT, connection, connection_to, ledger
from cloudml_magic.records import Target


@dataclass(frozen=True, slots=True)
class Listing:
    """Jobs, latest first, and which of the places to which some were sent could not be asked, with the reason."""

    jobs: list[Job]
    unreached: Mapping[str, CloudMLError] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """What is missing, in words."""
        return [
            f"What was sent to {where} is not shown. {error.what} {error.why}".rstrip()
            for where, error in self.unreached.items()
        ]


def jobs(most: int | None = None) -> list[Job]:
    """The jobs that there are, latest first, or so many of them, as far as their places can be asked."""
    return list_jobs(most).jobs


def list_jobs(most: int | None = None) -> Listing:
    """Every job of the place where jobs go now; in the cloud also those that were sent from here to other places."""
    here = jobs_here(most)
    if connection().place.target is Target.LOCAL:
        return Listing(here)
    elsewhere = _sent(REMEMBERED, {parent_of(job) for job in here})
    return Listing(_latest_first([*here, *elsewhere.jobs])[:most], elsewhere.unreached)


def jobs_here(most: int | None = None) -> list[Job]:
    """The jobs of the place where jobs go now, latest first, or so many of them."""
    here = connection()
    return [job_of(snapshot, here) for snapshot in islice(here.client.jobs(), most)]


def jobs_in_cloud(most: int) -> Listing:
    """The latest jobs that were sent to the cloud from here, whatever is set now."""
    return _sent(most, ())


def parent_of(job: Job) -> str:
    """The place of a job, as its name has it."""
    return job.last_seen.resource_name.rsplit("/", 2)[0]


def _sent(most: int, listed: Collection[str]) -> Listing:
    """What was sent to the cloud, except to places that are listed already; each other place is asked once."""
    names: dict[str, set[str]] = {}
    for submission in ledger().in_cloud(most):
        name = submission.resource_name or ""
        if (where := name.rsplit("/", 2)[0]) not in listed:
            names.setdefault(where, set()).add(name)
    found: list[Job] = []
    unreached = {}
    for where, sent in names.items():
        try:
            found += _jobs_at(place_of(CURRENT, Target.CLOUD, min(sent)), sent)
        except CloudMLError as error:
            unreached[where] = error
    return Listing(_latest_first(found), unreached)


def _jobs_at(there: Place, names: Collection[str]) -> list[Job]:
    reached = connection_to(there)
    kinds = {there.speaks.kind_of(name) for name in names}
    listed = islice(reached.client.jobs(kinds), REMEMBERED)
    return [job_of(snapshot, reached) for snapshot in listed if snapshot.resource_name in names]


def _latest_first(found: list[Job]) -> list[Job]:
    return sorted(found, key=lambda job: job.last_seen.created, reverse=True)
