"""A name that neither a captured cell nor the kernel has: the job would end in a NameError."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Mapping

from cloudml_magic.source.rules.refusal import Refusal, place
from cloudml_magic.source.rules.trip import Trip, first_use
from cloudml_magic.source.slice import Step

_SHELL_NAMES = frozenset({"In", "Out", "_", "__", "___", "_i", "_ii", "_iii", "_ih", "_oh", "_dh", "get_ipython"})


def undefined(trip: Trip, name: str, elsewhere: Mapping[str, str], known: Iterable[str]) -> Refusal:
    """The refusal of one name; `elsewhere` says of some names in which cell that does not count they are bound."""
    cell, line = first_use(trip.chosen, name) or (None, None)
    where = place(cell, line)
    if is_of_the_shell(name):
        return Refusal(
            "shell-dependency", f"{where} uses `{name}`, which only IPython has.",
            "The job runs as a plain Python program.", "Give the value a name of its own in an earlier cell.",
            cell, line, name,
        )  # fmt: skip
    if name in elsewhere:
        return Refusal("undefined-name", f"{where} uses `{name}`, which is not defined.", elsewhere[name],
                       "Define it in a cell that runs in this notebook.", cell, line, name)  # fmt: skip
    close = difflib.get_close_matches(name, list(known), n=1)
    advice = f"Did you mean `{close[0]}`?" if close else "Run the cell that defines it, then train again."
    why = (
        "No cell before it defines it."
        if trip.static
        else "No cell that ran defines it, and the kernel does not know it."
    )
    return Refusal("undefined-name", f"{where} uses `{name}`, which is not defined.", why, advice, cell, line, name)


def is_of_the_shell(name: str) -> bool:
    """Whether a name is IPython's own: `Out`, `_`, `_7`, `get_ipython`."""
    return name in _SHELL_NAMES or (name.startswith("_") and name.lstrip("_i").isdigit())


def deleted(trip: Trip, name: str, by: Step) -> Refusal:
    """A needed name that a captured statement deletes."""
    cell, line = first_use(trip.chosen, name) or (None, None)
    return Refusal(
        "undefined-name",
        f"{place(cell, line)} uses `{name}`, which is not defined.",
        f"{place(by.cell, by.statement.line)} deletes it.",
        "Take the `del` out, or define the name again after it.",
        cell, line, name,
    )  # fmt: skip


def guarded_names(trip: Trip) -> frozenset[str]:
    """Names that the code itself expects to be missing: used under `try: … except NameError`."""
    names: set[str] = set()
    for one in trip.chosen:
        for node in ast.walk(one.step.statement.node):
            if isinstance(node, ast.Try) and any(_catches_name_error(handler.type) for handler in node.handlers):
                for part in node.body:
                    names |= {n.id for n in ast.walk(part) if isinstance(n, ast.Name)}
    return frozenset(names)


def _catches_name_error(kind: ast.expr | None) -> bool:
    caught = {n.id for n in ast.walk(kind) if isinstance(n, ast.Name)} if kind is not None else {"Exception"}
    return bool(caught & {"NameError", "Exception", "BaseException"})
