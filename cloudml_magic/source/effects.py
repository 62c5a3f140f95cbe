"""What running a statement does to names: what it needs, binds and may change, in words for what is no variable too."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from cloudml_magic.source.names import Code
from cloudml_magic.source.world import NO_CODE, NOTHING

# Names of what is no variable: they contain a blank, so that no user's name is one of them.
STATE = "global state"


def generator(name: str) -> str:
    """The state of a random generator, as a name."""
    return f"random generator {name}"


def file_name(path: str) -> str:
    """A file that code writes, as a name."""
    return f"file {path}"


def is_variable(name: str) -> bool:
    return " " not in name


@dataclass(frozen=True, slots=True)
class Effects:
    """What running a statement needs, what it binds for certain or perhaps, and what it may change.

    `deferred` are the needs of which only code that the statement's values hold knows, and which it may never run.
    """

    needs: frozenset[str]
    binds: frozenset[str]
    may_bind: frozenset[str]
    changes: frozenset[str]
    deletes: frozenset[str] = NOTHING
    stars: tuple[str, ...] = ()
    deferred: frozenset[str] = NOTHING


@dataclass(slots=True)
class Summary:
    """What running a function of the notebook changes, and what its result shares."""

    changed_parameters: frozenset[str] = NOTHING
    changes: frozenset[str] = NOTHING
    binds: frozenset[str] = NOTHING
    returns: frozenset[str] = NOTHING
    returns_plain: bool = False
    codes: frozenset[Code] = NO_CODE
    reads: frozenset[str] = NOTHING


def widest(node: ast.stmt) -> Effects:
    """Of a statement too deep to read: it may do anything with every name in it."""
    loads: set[str] = set()
    stores: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            (loads if isinstance(inner.ctx, ast.Load) else stores).add(inner.id)
    return Effects(frozenset(loads), NOTHING, frozenset(stores), frozenset(loads | stores))
