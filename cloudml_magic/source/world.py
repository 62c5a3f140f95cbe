"""What each name holds at one point of the run, as far as the code tells: kinds, shared objects, code to be run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from cloudml_magic.source.names import Code, free_names

Kind = Literal["plain", "value", "display", "module", "imported", "function", "class", "unknown"]

_SHARING: frozenset[Kind] = frozenset({"value", "unknown"})
NOTHING: frozenset[str] = frozenset()
NO_CODE: frozenset[Code] = frozenset()


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression may come to.

    `roots` are the names through which it was reached, `path` the dotted name of a module's member, `codes` the
    functions and classes of the notebook that using it may run, `text` a string that is known.
    """

    kind: Kind
    roots: frozenset[str] = NOTHING
    path: str = ""
    codes: frozenset[Code] = NO_CODE
    text: str | None = None

    @property
    def sources(self) -> frozenset[str]:
        """The names with which it may share objects."""
        return self.roots if self.kind in _SHARING else NOTHING


PLAIN = Value("plain")
ITERATOR = "an iterator"  # the path of what reading uses up
FRESH = Value("value")


def merged(values: Iterable[Value]) -> Value:
    """A value that holds all of these, or is one of them."""
    given = list(values)
    if len(given) == 1:
        return given[0]
    roots: frozenset[str] = NOTHING
    codes = NO_CODE
    for value in given:
        roots |= value.sources
        codes |= value.codes
    if all(value.kind == "plain" for value in given):
        return PLAIN
    if all(value.kind == "display" for value in given):
        return Value("display", roots, "", codes)
    return Value("value", roots, "", codes)


def element(value: Value) -> Value:
    """A part of a value: it shares with what the whole shares with."""
    if value.kind == "plain":
        return PLAIN
    if value.path and value.kind in {"module", "imported"}:
        return Value(value.kind, value.roots, value.path, value.codes)
    return Value(value.kind, value.roots, "", value.codes)


def as_value(value: Value) -> Value:
    """What was reached through a value, without its name and path."""
    if value.kind in {"display", "value"}:
        return value
    return Value("value", value.sources, "", value.codes)


@dataclass(slots=True)
class World:
    """The names at one point of the run; moved forward statement by statement."""

    held: dict[str, Value] = field(default_factory=dict)
    shares: dict[str, set[str]] = field(default_factory=dict)
    seeded: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)

    def assign(self, name: str, value: Value, *, conditional: bool) -> None:
        """Binds a name; a conditional binding leaves what was there possible."""
        before = self.held.get(name)
        if before is not None and conditional:
            value = Value(
                before.kind if before.kind == value.kind else "value",
                before.roots | value.roots,
                before.path if before.path == value.path else "",
                before.codes | value.codes,
                before.text if before.text == value.text else None,
            )
        elif before is not None and name not in value.sources:
            for other in self.shares.pop(name, ()):
                self.shares[other].discard(name)
        self.held[name] = value
        self.join({name}, value.sources)

    def forget(self, name: str) -> None:
        self.held.pop(name, None)
        for other in self.shares.pop(name, ()):
            self.shares[other].discard(name)

    def join(self, names: Iterable[str], others: Iterable[str]) -> None:
        """From here on each of `names` may share objects with each of `others` and with what these share with."""
        reached: set[str] = set()
        for other in others:
            reached.add(other)
            reached |= self.shares.get(other, NOTHING)
        for name in names:
            mine = reached - {name}
            if not mine:
                continue
            group = self.shares.setdefault(name, set())
            for other in (mine - group) | mine:
                group.add(other)
                self.shares.setdefault(other, set()).add(name)

    def reached_from(self, roots: Iterable[str]) -> set[str]:
        """All names that may see a change of what these names hold."""
        found = set(roots)
        for root in roots:
            found |= self.shares.get(root, NOTHING)
        return found

    def give_code(self, names: Iterable[str], codes: frozenset[Code]) -> None:
        """What these names hold may from here on run this code."""
        for name in self.reached_from(names) if codes else ():
            before = self.held.get(name)
            if before is None:
                self.held[name] = Value("unknown", frozenset({name}), "", codes)
            elif before.kind != "plain" and not codes <= before.codes:
                kind = before.kind
                self.held[name] = Value(kind, before.roots, before.path, before.codes | codes, before.text)

    def package_of(self, path: str) -> set[str]:
        """The names that hold something of the same top-level package."""
        package = _family(path)
        return {
            name for name, value in self.held.items()
            if value.path and value.kind in {"module", "imported"} and _family(value.path) == package
        }  # fmt: skip

    def closure(self, names: Iterable[str]) -> set[str]:
        """The names, and those that the code which they hold looks up, and so on."""
        found = set(names)
        waiting = list(found)
        while waiting:
            value = self.held.get(waiting.pop())
            if value is None or not value.codes:
                continue
            for code in value.codes:
                new = free_names(code) - found
                found |= new
                waiting += new
        return found

    def looked_up_by_calling(self, names: Iterable[str]) -> set[str]:
        """The names that calling these functions looks up, those that they call in turn included."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            value = self.held.get(waiting.pop())
            if value is None or value.kind != "function":
                continue
            for code in value.codes:
                new = free_names(code) - found
                found |= new
                waiting += new
        return found


def _family(path: str) -> str:
    package = path.partition(".")[0]
    return "keras" if package in {"tensorflow", "keras", "tf_keras"} else package
