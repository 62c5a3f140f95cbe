"""Which statements of the cells that ran a trained cell needs: a walk forward for effects, then one back for needs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cloudml_magic.records import Cell
from cloudml_magic.source.effects import STATE, Effects, file_name, generator, is_variable
from cloudml_magic.source.names import PRESENT
from cloudml_magic.source.reader import Reader
from cloudml_magic.source.statements import Statement
from cloudml_magic.source.world import World

_ALWAYS_NEEDED = frozenset({STATE, *(generator(name) for name in ("numpy", "python", "tensorflow", "torch"))})


@dataclass(frozen=True, slots=True)
class Step:
    """One statement that ran; `always` where the user marked its cell, and in the trained cell."""

    statement: Statement
    cell: Cell
    always: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """A step that travels and what it does."""

    step: Step
    effects: Effects


@dataclass(frozen=True, slots=True)
class Selection:
    """What travels, the names that nothing captured defines, and those that a step had deleted before."""

    steps: tuple[Chosen, ...]
    unresolved: tuple[str, ...]
    deleted: dict[str, Step]
    rebound: dict[str, Step]
    constants: dict[str, str]


def select_statements(
    steps: Sequence[Step],
    *,
    given: frozenset[str] = frozenset(),
    brought: frozenset[str] = frozenset(),
    needs: frozenset[str] = frozenset(),
    star_names: Callable[[str], frozenset[str] | None] = lambda module: None,
    have_run: bool = False,
) -> Selection:
    """The steps that the ones marked `always` need, transitively, in the order in which they ran.

    `given` names and files at `brought` paths are there before the code runs; `needs` are looked up after it.
    `star_names` knows what `from module import *` binds, or None.
    Steps that `have_run` without an error have looked up nothing that was not there.
    """
    lazy = any(_is_future(step.statement.node, "annotations") for step in steps)
    reader = Reader(World(), lazy_annotations=lazy)
    effects = []
    for step in steps:
        reader.has_run = have_run and not step.always
        effects.append(reader.effects_of(step.statement.node))
    effects = [_with_stars(one, star_names) for one in effects]
    given |= {file_name(path) for path in reader.world.written if any(_lies_in(path, there) for there in brought)}
    # A function that is looked up is called, and looks up what its code names.
    needs = frozenset(reader.world.closure(needs))
    constants = {name: value.text for name, value in reader.world.held.items() if value.text is not None}
    selection = _walk_back(steps, effects, given, needs, constants, stars=False)
    if selection.unresolved and any("*" in one.stars for one in effects):
        selection = _walk_back(steps, effects, given, needs, constants, stars=True)
    return selection


def _lies_in(path: str, there: str) -> bool:
    return path == there or path.startswith(f"{there}/")


def _walk_back(
    steps: Sequence[Step],
    effects: Sequence[Effects],
    given: frozenset[str],
    needs: frozenset[str],
    constants: dict[str, str],
    *,
    stars: bool,
) -> Selection:
    needed: set[str] = {*_ALWAYS_NEEDED, *needs}
    perhaps: set[str] = set()
    deleted: dict[str, Step] = {}
    rebound: dict[str, Step] = {}
    chosen: list[Chosen] = []
    certain: set[str] = set(needs)
    bound: set[str] = set()
    starred = False
    for step, does in zip(reversed(steps), reversed(effects), strict=True):
        hoisted = isinstance(step.statement.node, ast.ImportFrom) and step.statement.node.module == "__future__"
        touched = (does.binds | does.may_bind | does.changes) & (needed - given)
        if not (step.always or hoisted or touched or (stars and "*" in does.stars)):
            for name in does.deletes & needed:
                deleted.setdefault(name, step)
            needed -= does.deletes & set(deleted)
            continue
        starred = starred or "*" in does.stars
        chosen.append(Chosen(step, does))
        for name in (does.binds | does.may_bind | does.changes) & given:
            rebound[name] = step
        needed -= does.binds
        certain -= does.binds
        certain |= does.needs - does.deferred
        bound |= does.binds
        perhaps |= does.may_bind
        for name in does.deletes & needed:
            deleted.setdefault(name, step)
            needed.discard(name)
        needed |= does.needs - {"get_ipython"} if step.statement.foreign else does.needs
    missing = {
        name for name in needed - given
        if is_variable(name) and name not in PRESENT and name not in perhaps and not (stars and starred)
        and (name in certain or name not in bound)
    }  # fmt: skip
    return Selection(tuple(reversed(chosen)), tuple(sorted(missing)), deleted, rebound, constants)


def _with_stars(effects: Effects, star_names: Callable[[str], frozenset[str] | None]) -> Effects:
    """Names that a star import is known to bind become bindings; an unknown star stays one."""
    if not effects.stars:
        return effects
    binds, unknown = set(effects.binds), False
    for module in effects.stars:
        names = star_names(module)
        unknown = unknown or names is None
        binds |= names or set()
    return Effects(
        effects.needs, frozenset(binds), effects.may_bind, effects.changes, effects.deletes,
        ("*",) if unknown else (), effects.deferred,
    )  # fmt: skip


def _is_future(node: ast.stmt, feature: str) -> bool:
    return (
        isinstance(node, ast.ImportFrom) and node.module == "__future__" and any(a.name == feature for a in node.names)
    )
