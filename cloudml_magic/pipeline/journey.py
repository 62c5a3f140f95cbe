"""A submission on its way through the regions in which it may run, in the order of its user; never in two at once."""

from __future__ import annotations

from cloudml_magic.connection import Connection
from cloudml_magic.dialects.shortages import NOT_ENOUGH_QUOTA
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.prepare import Preparation
from cloudml_magic.pipeline.refusals import nowhere
from cloudml_magic.pipeline.session import connection_to, ledger
from cloudml_magic.records import JobSnapshot


class Journey:
    """What is left of the regions, and the one submission that goes there."""

    def __init__(self, preparation: Preparation) -> None:
        self._preparation = preparation
        self._left = list(preparation.terms.regions)

    @property
    def has_ended(self) -> bool:
        """Whether there is no region left to try."""
        return not self._left

    def next_stop(self) -> tuple[JobSnapshot, Connection]:
        """Creates the job in the next region that takes it, under its one token, and notes it in the ledger."""
        refusals: list[tuple[Connection, CloudMLError]] = []
        while self._left:
            tried = self._preparation.in_region(self._left.pop(0))
            there = connection_to(tried.place)
            try:
                snapshot = there.client.create_job(tried.spec)
            except CloudMLError as refusal:
                if refusal.reference != NOT_ENOUGH_QUOTA:
                    raise
                refusals.append((there, refusal))
                continue
            ledger().complete(tried.spec.token, snapshot.resource_name)
            return snapshot, there
        raise nowhere(refusals)
