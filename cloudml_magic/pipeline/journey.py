"""A submission on its way through the regions in which it may run, in the order of its user; never in two at once."""

from __future__ import annotations

import time

from cloudml_magic.connection import Connection
from cloudml_magic.dialects.shortages import NOT_ENOUGH_QUOTA
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.prepare import Preparation
from cloudml_magic.pipeline.refusals import nowhere
from cloudml_magic.pipeline.session import connection_to, ledger
from cloudml_magic.pipeline.submission import UNANSWERED
from cloudml_magic.records import JobSnapshot


class Journey:
    """What is left of the regions, and the one submission that goes there."""

    def __init__(self, preparation: Preparation) -> None:
        self._preparation = preparation
        self._left = list(preparation.terms.regions)
        self._is_unanswered = False
        self._was: JobSnapshot | None = None

    @property
    def has_ended(self) -> bool:
        """Whether there is no region left to try."""
        return not self._left

    def next_stop(self) -> tuple[JobSnapshot, Connection]:
        """Creates the job in the next region that takes it, under its one token, and notes it in the ledger.

        A region whose answer never came is asked about it before anything is sent again, and left only by its answer.
        """
        token = self._preparation.spec.token
        refusals: list[tuple[Connection, CloudMLError]] = []
        while self._left:
            tried = self._preparation.in_region(self._left[0])
            there = connection_to(tried.place)
            ledger().move(token, tried.place.parent, time.time())
            try:
                self._was = self._created(there)
            except CloudMLError as refusal:
                if not self._is_unanswered:
                    self._stay()
                if refusal.reference != NOT_ENOUGH_QUOTA:
                    raise
                refusals.append((there, refusal))
            else:
                ledger().complete(token, self._was.resource_name)
                return self._was, there
            finally:
                if not self._is_unanswered:
                    self._left.pop(0)
        raise nowhere(refusals)

    def _created(self, there: Connection) -> JobSnapshot:
        spec = self._preparation.spec
        found = there.client.submitted(spec.token) if self._is_unanswered else None
        self._is_unanswered = True
        try:
            created = found or there.client.create_job(spec)
        except CloudMLError as error:
            self._is_unanswered = error.reference in UNANSWERED
            raise
        self._is_unanswered = False
        return created

    def _stay(self) -> None:
        """What was refused elsewhere is still what it was."""
        if self._was is not None:
            ledger().complete(self._preparation.spec.token, self._was.resource_name)
