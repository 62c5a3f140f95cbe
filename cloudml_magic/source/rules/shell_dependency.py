"""A needed name whose value comes from a shell line or a magic, which no job can repeat."""

from __future__ import annotations

from collections.abc import Iterator

from cloudml_magic.source.effects import is_variable
from cloudml_magic.source.rules.refusal import Refusal, place
from cloudml_magic.source.rules.trip import Trip


def refusals(trip: Trip) -> Iterator[Refusal]:
    """Each chosen statement in which something is no Python."""
    for one in trip.chosen:
        step = one.step
        if not step.statement.foreign:
            continue
        names = ", ".join(f"`{name}`" for name in sorted(one.effects.binds | one.effects.may_bind) if is_variable(name))
        needed = f"The job needs {names} from it" if names else "The job needs it"
        yield Refusal(
            "shell-dependency",
            f"{place(step.cell, step.statement.line)} cannot travel: {step.statement.foreign}.",
            f"{needed}, and it runs as a plain Python program.",
            "Write it in Python (`glob`, `subprocess`, …), or assign the value as a literal.",
            step.cell, step.statement.line,
        )  # fmt: skip
