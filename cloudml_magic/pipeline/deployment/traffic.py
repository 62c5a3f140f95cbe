"""How a hundred percent are shared between versions; pure, always whole numbers that sum to a hundred."""

from __future__ import annotations

from collections.abc import Mapping

WHOLE = 100


def joined(shares: Mapping[str, int], newcomer: str, percent: int) -> dict[str, int]:
    """The shares when a newcomer gets `percent`: the others keep their proportions in what is left."""
    others = _scaled({id: share for id, share in shares.items() if id != newcomer}, WHOLE - percent)
    given = WHOLE - sum(others.values())
    return {**others, newcomer: given}


def without(shares: Mapping[str, int], leaver: str) -> dict[str, int]:
    """The shares when one leaves: the others keep their proportions; one of them gets all if none had any."""
    others = {id: share for id, share in shares.items() if id != leaver}
    if not others:
        return {}
    if not any(others.values()):
        return {id: WHOLE if id == max(others) else 0 for id in others}
    return _scaled(others, WHOLE)


def _scaled(shares: Mapping[str, int], total: int) -> dict[str, int]:
    """Shares in proportion that sum to `total`, what is lost by rounding going to the largest remainders."""
    whole = sum(shares.values())
    if not whole:
        return dict.fromkeys(shares, 0)
    exact = {id: share * total / whole for id, share in shares.items()}
    floors = {id: int(value) for id, value in exact.items()}
    by_remainder = sorted(shares, key=lambda id: (floors[id] - exact[id], id))
    for id in by_remainder[: total - sum(floors.values())]:
        floors[id] += 1
    return floors
