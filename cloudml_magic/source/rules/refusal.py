"""One reason why a cell cannot travel, and the single error in which all of them are reported together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Cell


@dataclass(frozen=True, slots=True)
class Refusal:
    """What stands where, why it cannot travel, and what to do."""

    reference: str
    what: str
    why: str = ""
    next: str = ""
    cell: Cell | None = None
    line: int | None = None
    name: str | None = None


def place(cell: Cell | None, line: int | None) -> str:
    """`In [7], line 3`."""
    if cell is None:
        return "The job"
    return cell.label if line is None else f"{cell.label}, line {line}"


class RefusedError(CloudMLError):
    """The cell cannot travel; `refusals` has each reason."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        if len(refusals) == 1:
            only = refusals[0]
            super().__init__(only.reference, only.what, why=only.why, next=only.next)
            return
        advice = list(dict.fromkeys(refusal.next for refusal in refusals if refusal.next))
        super().__init__(
            "cell-cannot-travel",
            f"{len(refusals)} things of this cell cannot travel.",
            why="\n".join(f"{refusal.what} [{refusal.reference}]" for refusal in refusals),
            next="\n".join(advice),
        )

    def __reduce__(self) -> tuple[object, ...]:
        return (RefusedError, (self.refusals,))


def raise_refusals(refusals: Sequence[Refusal]) -> None:
    """Reports all reasons together, each once."""
    if refusals:
        raise RefusedError(list(dict.fromkeys(refusals)))
