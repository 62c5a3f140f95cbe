"""What is known of one job that is followed: its state, the lines that it reported and printed, and who reads them."""

from __future__ import annotations

from collections import deque

from cloudml_magic.client.event_lines import parse
from cloudml_magic.dialects.logging_v2 import LogEntry
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import JobEvent, JobSnapshot
from cloudml_magic.states import JobState
from cloudml_magic.storage import Growth, ReadSoFar

_MOST_LOG_LINES = 100_000
_REMEMBERED_IDS = 20_000
# Entries may arrive late, and in any order.
OVERLAP_SECONDS = 30.0
# As gcloud does: what a job printed last arrives after its end.
_QUIET_LOOKS = 2


class FollowedJob:
    """One job; several readers may follow it, each from the beginning."""

    def __init__(self, snapshot: JobSnapshot) -> None:
        self.snapshot = snapshot
        self.events: list[JobEvent] = []
        self.log: deque[LogEntry] = deque(maxlen=_MOST_LOG_LINES)
        self.logged = 0
        self.notes: dict[str, str] = {}
        self.gone: CloudMLError | None = None
        self.readers = 0
        self.reported: ReadSoFar | None = None
        self.is_ended = False
        self._tail = b""
        self._seen: dict[str, None] = {}
        self._looked: float | None = None
        self._overlap = OVERLAP_SECONDS
        self._quiet = 0
        self._read_since_end = False

    @property
    def has_log(self) -> bool:
        """Whether its log was looked at before."""
        return self._looked is not None

    @property
    def log_since(self) -> float:
        """From when on its log is to be looked at."""
        return max(0.0, (self._looked or self.snapshot.created) - self._overlap)

    def take_log(self, entries: list[LogEntry], until: float | None = None, *, is_cut: bool = False) -> None:
        """What it printed, some of it known already; all up to `until` was seen, and more waits if it `is_cut`."""
        new = [entry for entry in entries if entry.id not in self._seen]
        for entry in new:
            self._seen[entry.id] = None
            self.log.append(entry)
        while len(self._seen) > _REMEMBERED_IDS:
            self._seen.pop(next(iter(self._seen)))
        self.logged += len(new)
        self._looked = max([self._looked or self.snapshot.created, until or 0.0, *(entry.time for entry in new)])
        # A page that is full of what is known already would hold up what comes behind it.
        self._overlap = 0.0 if is_cut else OVERLAP_SECONDS
        if self.snapshot.state.is_final:
            self._quiet = 0 if new or is_cut else self._quiet + 1

    def take_report(self, growth: Growth) -> None:
        """What its report has grown by; one that was written anew is told from its beginning, for it says what is."""
        self.reported = growth.so_far
        begun = b"" if growth.starts_over else self._tail
        *lines, self._tail = (begun + growth.fresh).split(b"\n")
        found = [event for line in lines if (event := parse(line.decode("utf-8", "replace")))]
        # What only the platform may say is not heard from a job.
        self.events += [event for event in found if event.kind not in ("state", "log")]

    def report_was_read(self) -> None:
        """Its report was looked at, changed or not."""
        self._read_since_end = self.snapshot.state.is_final

    def settle(self, *, log_is_readable: bool) -> None:
        """Finds out whether all has arrived that will."""
        is_quiet = self._quiet >= _QUIET_LOOKS or not log_is_readable
        has_all = self.snapshot.state.is_final and self._read_since_end and is_quiet
        self.is_ended = has_all or self.gone is not None

    def state_event(self) -> JobEvent:
        """Its state, at the time at which it came to be."""
        said = self.snapshot
        moment = {JobState.RUNNING: said.started, JobState.QUEUED: said.created, JobState.PREPARING: said.created}
        time = moment.get(said.state, said.ended if said.state.is_final else None)
        fields: dict[str, object] = {"state": said.state.value}
        if note := " ".join(filter(None, self.notes.values())):
            fields["note"] = note
        if said.failure is not None:
            fields["error"] = said.failure.message
        return JobEvent("state", time or said.started or said.created, fields)
