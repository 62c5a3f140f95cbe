"""One reader of a job that is followed: what of it was told already, and what is new."""

from __future__ import annotations

from collections.abc import Iterator

from cloudml_magic.client.cloud_watch.followed_job import FollowedJob
from cloudml_magic.records import JobEvent
from cloudml_magic.states import JobState


class Reader:
    """Takes what is new of a job; called while nothing changes."""

    def __init__(self, followed: FollowedJob, log_tail: int | None) -> None:
        self._followed = followed
        self._tail = log_tail
        self._told = 0
        self._printed: int | None = None
        self._stood: tuple[object, object] = (None, None)

    def news(self, *, log_is_readable: bool) -> list[JobEvent]:
        """States, then reports and lines, then the end."""
        followed = self._followed
        found = [*self._states(), *followed.events[self._told :], *self._lines(log_is_readable)]
        self._told = len(followed.events)
        if followed.is_ended and followed.gone is None:
            found.append(followed.state_event())
        return found

    def _states(self) -> Iterator[JobEvent]:
        snapshot, event = self._followed.snapshot, self._followed.state_event()
        stands = (event.fields["state"], event.fields.get("note"))
        if not snapshot.state.is_final:
            if stands != self._stood:
                self._stood = stands
                yield event
        elif snapshot.started is not None and self._stood[0] != JobState.RUNNING.value:
            # It ran between two looks.
            self._stood = (JobState.RUNNING.value, None)
            yield JobEvent("state", snapshot.started, {"state": JobState.RUNNING.value})

    def _lines(self, log_is_readable: bool) -> Iterator[JobEvent]:
        followed = self._followed
        if self._printed is None:
            if log_is_readable and not followed.has_log:
                return
            # From here on every line is told; of those before, as many as were asked for.
            before = len(followed.log) if self._tail is None else min(len(followed.log), self._tail)
            self._printed = followed.logged - before
        missed = followed.logged - self._printed
        self._printed = followed.logged
        for entry in list(followed.log)[-missed:] if missed else ():
            yield JobEvent("log", entry.time, {"text": entry.text, "severity": entry.severity})
