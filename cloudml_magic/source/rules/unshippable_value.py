"""A needed value of the kernel that cannot be written into the module: named with its type, its size and a way out."""

from __future__ import annotations

from collections.abc import Mapping

from cloudml_magic.source.kernel_values import Shippable, Unshippable
from cloudml_magic.source.rules.refusal import Refusal, place
from cloudml_magic.source.rules.trip import Trip, first_use


def unshippable(trip: Trip, name: str, form: Shippable | Unshippable, elsewhere: Mapping[str, str]) -> Refusal:
    """The refusal of a needed name that only the kernel holds; `elsewhere` says which cell that does not count
    defines it."""
    cell, line = first_use(trip.chosen, name) or (None, None)
    what = f"{place(cell, line)} needs `{name}` ({form.summary}), which no captured cell defines."
    if isinstance(form, Shippable):
        return Refusal(
            "value-not-shipped", what, "Arrays, frames and tensors travel only if you say so.",
            f"Add --ship {name}, or run the cell that makes it again.", cell, line, name,
        )  # fmt: skip
    if name in elsewhere:
        return Refusal(
            "unshippable-value", what, elsewhere[name],
            f"Mend or mark that cell and run it again, or define `{name}` in another.", cell, line, name,
        )  # fmt: skip
    why = form.why[:1].upper() + form.why[1:] + "."
    return Refusal("unshippable-value", what, why, form.advice, cell, line, name)


def not_shippable(name: str, summary: str) -> Refusal:
    """`--ship` of something that is no array, frame or tensor."""
    return Refusal(
        "unshippable-value", f"--ship {name}: {summary} cannot be shipped.",
        "Arrays, data frames and tensors can.", "Leave it out of --ship.", name=name,
    )  # fmt: skip


def nothing_to_ship(name: str, *, static: bool) -> Refusal:
    """`--ship` of a name that does not exist."""
    why = "A saved notebook holds no values." if static else "The kernel knows no such name."
    return Refusal(
        "undefined-name", f"--ship {name}: there is no `{name}`.", why, "Name a variable of this notebook.", name=name
    )


def made_anew(trip: Trip, name: str, cell: str, line: int) -> Refusal:
    """A shipped name that a statement which the job needs for something else would overwrite or change."""
    return Refusal(
        "ship-conflict",
        f"`{name}` is to be shipped, and {cell}, line {line}, which the job needs too, makes or changes it.",
        "The job would not see the value that the kernel has.",
        "Ship the other names of that statement too, or leave this one out of --ship.", name=name,
    )  # fmt: skip
