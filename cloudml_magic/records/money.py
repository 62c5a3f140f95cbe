"""What things cost: a price for an hour, and what has come together."""

from __future__ import annotations

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
