"""What things cost, and how much of them there may be: a price for an hour, what came together, a quota."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount of a currency (`USD`)."""

    amount: float
    currency: str


@dataclass(frozen=True, slots=True)
class Price:
    """What an hour costs, and where that is written: `price list of 2026-11-29`, `table of 2026-07-30`.

    A price that is a limit may be less in truth, not more.
    """

    per_hour: float
    currency: str
    source: str
    is_limit: bool = False

    def cost(self, seconds: float) -> Cost:
        """What a time costs."""
        return Cost(self.per_hour * max(0.0, seconds) / 3600, self.currency)


@dataclass(frozen=True, slots=True)
class Quota:
    """How much of something (`T4`, `CPUs`) a project may use at once in each region; -1 is without limit.

    `is_preemptible` counts machines that may be taken away, which have a quota of their own.
    """

    kind: str
    metric: str
    is_preemptible: bool
    limits: Mapping[str, int]
    everywhere_else: int = 0

    def limit(self, region: str) -> int:
        """What counts in a region."""
        return self.limits.get(region, self.everywhere_else)
