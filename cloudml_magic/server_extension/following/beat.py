"""How often jobs that run are told to pages: one at once, many together, so that a page draws them all in one go."""

from __future__ import annotations

_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.15, 1.0
_SECONDS_A_JOB = 0.1


class Beat:
    """The moments at which what has gathered may leave; the same for all jobs, and rarer the more of them run."""

    def __init__(self) -> None:
        self.seconds = _SHORTEST_SECONDS

    @property
    def is_quick(self) -> bool:
        """Whether so few run that each may be told as soon as it says something."""
        return self.seconds == _SHORTEST_SECONDS

    def follow(self, running: int) -> None:
        """Takes the pace of so many jobs."""
        self.seconds = min(max(_SHORTEST_SECONDS, _SECONDS_A_JOB * (running - 1)), _LONGEST_SECONDS)

    def is_due(self, now: float, told: float) -> bool:
        """Whether a moment has come since a job was told last, both by the same clock."""
        return now // self.seconds != told // self.seconds
