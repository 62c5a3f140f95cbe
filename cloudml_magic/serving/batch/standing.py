"""How a batch stands, read from its state folder alone: for whoever watches over it or tells of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudml_magic.serving.batch.confirmed import MOST_PARTIAL
from cloudml_magic.serving.batch.shares import SHARES
from cloudml_magic.serving.batch.specification import SPECIFICATION


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the outputs are, and how many instances have a prediction, an error, or neither (-1: nobody knows)."""

    output: Path
    output_address: str
    succeeded: int = 0
    failed: int = 0
    incomplete: int = -1
    partial: tuple[str, ...] = ()


def standing(state: Path) -> Standing | None:
    """What is confirmed; None before the job was prepared."""
    specification = _read(state / SPECIFICATION)
    if specification is None:
        return None
    confirmed = [each for path in sorted(state.glob("confirmed-*.json")) if (each := _read(path)) is not None]
    succeeded, failed = (sum(each[name] for each in confirmed) for name in ("succeeded", "failed"))
    shares = _read(state / SHARES) or {"shares": [], "total": None}
    is_done = (
        bool(confirmed) and len(confirmed) == len(shares["shares"]) and all(each["finished"] for each in confirmed)
    )
    total = shares["total"]
    return Standing(
        Path(specification["output"]),
        specification["output_address"],
        succeeded,
        failed,
        0 if is_done else -1 if total is None else max(0, total - succeeded - failed),
        tuple(text for each in confirmed for text in each["partial"])[:MOST_PARTIAL],
    )


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
        return found
    except FileNotFoundError:
        return None
