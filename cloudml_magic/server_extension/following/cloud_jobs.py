"""The jobs that were sent to the cloud from this machine: asked for rarely, since a job that runs is watched anyway."""

from __future__ import annotations

import time
from collections.abc import Callable

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline import Job
from cloudml_magic.pipeline.listing import Listing, jobs_in_cloud, parent_of

_LOOK_SECONDS = 30.0
_MOST = 100


class CloudJobs:
    """What was there at the last look; a cloud that does not answer takes nothing away."""

    def __init__(self, look: Callable[[int], Listing] = jobs_in_cloud) -> None:
        self._look = look
        self._found: list[Job] = []
        self._looked = float("-inf")
        self._ledger: tuple[object, ...] | None = None
        self.trouble = ""

    def listed(self, ledger: tuple[object, ...]) -> list[Job]:
        """The latest jobs in the cloud; looked for anew when something was sent or deleted, and now and then."""
        now = time.monotonic()
        if ledger != self._ledger or now - self._looked >= _LOOK_SECONDS:
            self._looked, self._ledger = now, ledger
            try:
                self._take(self._look(_MOST))
            except CloudMLError as error:
                self.trouble = error.what
        return self._found

    def _take(self, seen: Listing) -> None:
        kept = [job for job in self._found if parent_of(job) in seen.unreached]
        self._found = [*seen.jobs, *kept]
        self.trouble = " ".join(dict.fromkeys(error.what for error in seen.unreached.values()))
