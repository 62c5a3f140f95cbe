"""Reads statements forward, with a world of what names hold, and collects what each needs, binds and may change."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from cloudml_magic.source import calls
from cloudml_magic.source.effects import STATE, Effects, Summary, file_name, is_variable, widest
from cloudml_magic.source.names import Code, free_names, local_names, outside_of, parameters
from cloudml_magic.source.paths import joined_path
from cloudml_magic.source.statement_kinds import STATEMENTS
from cloudml_magic.source.world import FRESH, ITERATOR, NOTHING, PLAIN, Value, World, as_value, element, merged


@dataclass
class Reader:
    """Reads statements in order, keeps the world up to date and collects what they do.

    Names local to a function get a key of their own (`key`), so that one world serves all scopes.
    """

    world: World
    summaries: dict[Code, Summary] = field(default_factory=dict)
    around: Reader | None = None
    code: Code | None = None
    lazy_annotations: bool = False
    has_run: bool = False

    def __post_init__(self) -> None:
        self.own = local_names(self.code) if self.code is not None else NOTHING
        self.needs: set[str] = set()
        self.called: set[str] = set()
        self.bound: set[str] = set()
        self.stored: set[str] = set()
        self.changes: set[str] = set()
        self.deletes: set[str] = set()
        self.stars: list[str] = []
        self.returned: list[Value] = []
        self.conditional = 0
        self.loops = 0
        self._hidden: list[dict[str, Value]] = []

    # --- one statement ---

    def effects_of(self, node: ast.stmt) -> Effects:
        """Reads one top-level statement."""
        self.needs, self.bound, self.stored, self.called = set(), set(), set(), set()
        self.changes, self.deletes, self.stars = set(), set(), []
        self.conditional = self.loops = 0
        try:
            self.statement(node)
        except RecursionError:
            return widest(node)
        needs = self.world.closure(self.needs)
        certain = self.needs if self.has_run else self.needs | self.world.looked_up_by_calling(self.called)
        deferred = needs - certain
        needs |= self._files_needed(node)
        changes = {name for name in self.changes if not name[0].isdigit()}
        return Effects(
            frozenset(needs), frozenset(self.bound), frozenset(self.stored - self.bound), frozenset(changes),
            frozenset(self.deletes), tuple(self.stars), frozenset(deferred),
        )  # fmt: skip

    def _files_needed(self, node: ast.stmt) -> set[str]:
        if not self.world.folders:
            return set()
        texts = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
        return {
            file_name(folder) for folder in self.world.folders
            for text in texts if text == folder or text.startswith(folder.rstrip("/") + "/")
        }  # fmt: skip

    # --- names ---

    def key(self, name: str) -> str:
        """The world's name for a name of this scope."""
        if self.code is not None and name in self.own:
            return f"{id(self.code)} {name}"
        return self.around.key(name) if self.around is not None else name

    def load(self, name: str) -> Value:
        for hidden in reversed(self._hidden):
            if name in hidden:
                return hidden[name]
        key = self.key(name)
        if key == name and name not in self.bound:
            self.needs.add(name)
        value = self.world.held.get(key)
        if value is None:
            if name in calls.BUILTIN_NAMES:
                return Value("imported", NOTHING, f"builtins.{name}")
            return Value("unknown", frozenset({key}))
        if value.kind == "plain":
            return value
        return Value(value.kind, frozenset({key}), value.path, value.codes, value.text)

    def store(self, name: str, value: Value) -> None:
        for hidden in reversed(self._hidden):
            if name in hidden:
                hidden[name] = value
                return
        key = self.key(name)
        if key == name:
            self.stored.add(name)
            self.bound.add(name)
            if self.code is not None:
                self.changes.add(name)
        self.world.assign(key, value, conditional=self.conditional > 0)

    def change(self, value: Value, *, by: Iterable[Value] = (), also: Iterable[str] = ()) -> None:
        """What is reached through `value` may change and may hold `by` from here on."""
        self.changes |= self.world.reached_from(value.roots)
        if value.kind in {"class", "function"} and value.codes:
            self.changes |= {name for name, held in self.world.held.items() if held.codes & value.codes}
        self.changes |= set(also)
        for other in by:
            self.world.give_code(value.roots, other.codes)
            if other.sources and value.sources:
                self.world.join(value.sources, other.sources)

    def use_up(self, node: ast.expr, value: Value) -> None:
        """Walking through an iterator changes it, and not what it walks through."""
        if value.path == ITERATOR and isinstance(node, ast.Name):
            self.changes |= value.roots

    def change_module(self, path: str) -> None:
        """Something of a package is set: whatever uses the package may meet it."""
        self.changes |= self.world.package_of(path)

    # --- statements ---

    def block(self, statements: Sequence[ast.stmt]) -> bool:
        """Reads statements in order; whether control comes out at the end."""
        for statement in statements:
            self.statement(statement)
        last = statements[-1] if statements else None
        return not isinstance(last, ast.Return | ast.Raise | ast.Continue | ast.Break)

    def statement(self, node: ast.stmt) -> None:
        handler = STATEMENTS.get(type(node))
        if handler is not None:
            handler(self, node)
            return
        for child in ast.iter_child_nodes(node):  # statements of later Pythons
            if isinstance(child, ast.expr):
                self.value(child)

    def branches(self, *blocks: Callable[[], bool | None], certain: bool) -> None:
        """Reads alternatives; with `certain` one of them runs, and what all bind is bound."""
        before = set(self.bound)
        outcomes = []
        self.conditional += 1
        for block in blocks:
            self.bound = set(before)
            if block() is not False:
                outcomes.append(self.bound)
        self.conditional -= 1
        self.bound = before | (set.intersection(*outcomes) if outcomes and certain else set())

    def bind(self, target: ast.expr, value: Value, source: ast.expr | None = None) -> None:
        """Assigns to a target: a name, a pattern of names, an attribute, a subscript."""
        match target:
            case ast.Name(id=name):
                self.store(name, value)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                given: Sequence[ast.expr | None] = [None] * len(elements)
                if isinstance(source, ast.Tuple | ast.List) and len(source.elts) == len(elements):
                    given = source.elts
                values = [self.value(part) if part is not None else element(value) for part in given]
                # The names through which a value was reached may be bound anew before its own turn comes.
                values = [replace(one, roots=frozenset(self.world.reached_from(one.roots))) for one in values]
                for inner, part, own in zip(elements, given, values, strict=True):
                    self.bind(inner, own, part)
            case ast.Starred(value=rest):
                self.bind(rest, element(value))
            case ast.Attribute(value=owner) | ast.Subscript(value=owner):
                if isinstance(target, ast.Subscript):
                    self.value(target.slice)
                held = self.value(owner)
                if held.kind == "display":
                    return
                self.change(held, by=[value])
                if held.path and held.kind in {"module", "imported"}:
                    if calls.shows(held.path, target.attr if isinstance(target, ast.Attribute) else ""):
                        self.changes -= held.roots
                        return
                    self.change_module(held.path)
                    if held.path.startswith("os.environ") or calls.sets_anything(held.path):
                        self.changes.add(STATE)
                elif held.path == "os.environ":
                    self.changes.add(STATE)

    # --- expressions ---

    def value(self, node: ast.AST | None, *, bare: bool = False) -> Value:
        """Reads an expression: what it needs and changes, and what it comes to."""
        if node is None:
            return PLAIN
        match node:
            case ast.Constant(value=constant):
                return Value("plain", text=constant) if isinstance(constant, str) else PLAIN
            case ast.Name(id=name):
                return self.load(name)
            case ast.Attribute(value=owner, attr=attribute):
                return self._attribute(self.value(owner), attribute)
            case ast.Call():
                return calls.read_call(self, node, bare=bare)
            case ast.Subscript(value=owner, slice=index):
                return self._subscript(self.value(owner), index)
            case ast.BinOp(left=left, op=operator, right=right):
                return self._operation(node, left, operator, right)
            case ast.UnaryOp(operand=operand):
                return PLAIN if self.value(operand).kind == "plain" else FRESH
            case ast.Compare(left=left, comparators=others):
                for part in [left, *others]:
                    self.value(part)
                return FRESH
            case ast.JoinedStr(values=parts):
                for part in parts:
                    self.value(part.value if isinstance(part, ast.FormattedValue) else part)
                    if isinstance(part, ast.FormattedValue):
                        self.value(part.format_spec)
                return Value("plain", text=joined_path(node, self.text_of))
            case ast.Lambda():
                for outer in outside_of(node):
                    self.value(outer)
                self.needs |= {name for name in free_names(node) if self.is_outer(name)} if self.code else set()
                return Value("function", codes=frozenset({node}))
            case ast.NamedExpr(target=target, value=given):
                value = self.value(given)
                self.bind(target, value)
                return value
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node)
            case ast.IfExp(test=test, body=body, orelse=other):
                self.value(test)
                return merged([self.value(body), self.value(other)])
            case ast.BoolOp(values=values):
                return merged([self.value(part) for part in values])
            case ast.Yield(value=given) | ast.YieldFrom(value=given):
                self.returned.append(self.value(given))
                return FRESH
            case ast.Await(value=given):
                return self.value(given, bare=bare)
        held = [self.value(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        whole = merged(held) if held else FRESH
        return Value("plain") if whole.kind == "plain" and isinstance(node, ast.Tuple) else as_value(whole)

    def is_outer(self, name: str) -> bool:
        return self.key(name) == name

    def text_of(self, name: str) -> str | None:
        """The string that a name is known to hold."""
        held = self.world.held.get(self.key(name))
        return held.text if held is not None else None

    def _attribute(self, owner: Value, attribute: str) -> Value:
        if owner.path and owner.kind in {"module", "imported"}:
            path = f"{owner.path}.{attribute}"
            return Value(owner.kind, owner.roots, path, owner.codes)
        if attribute in calls.PLAIN_ATTRIBUTES:
            return PLAIN
        if owner.kind in {"function", "class"}:
            return Value("value", owner.roots, "", owner.codes)
        return owner if owner.kind != "plain" else PLAIN

    def _subscript(self, owner: Value, index: ast.expr) -> Value:
        at = self.value(index)
        if isinstance(index, ast.Compare | ast.List | ast.ListComp):
            return Value("value", codes=owner.codes)  # choosing by a mask or a list copies
        if isinstance(index, ast.BinOp | ast.UnaryOp) and at.kind != "plain":
            return Value("value", codes=owner.codes)
        return element(owner)

    def _operation(self, node: ast.BinOp, left: ast.expr, operator: ast.operator, right: ast.expr) -> Value:
        first, second = self.value(left), self.value(right)
        if first.kind == "plain" and second.kind == "plain":
            return Value("plain", text=joined_path(node, self.text_of))
        if isinstance(operator, ast.Add) and "plain" not in {first.kind, second.kind}:
            return as_value(merged([first, second]))
        if isinstance(operator, ast.Mult) and isinstance(left, ast.List):
            return as_value(first)
        path = joined_path(node, self.text_of)
        return Value("plain", text=path) if path is not None else Value("value", codes=first.codes | second.codes)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
        hidden: dict[str, Value] = {}
        self.conditional += 1
        for index, part in enumerate(node.generators):
            iterated = self.value(part.iter)
            self.use_up(part.iter, iterated)
            names = [n.id for n in ast.walk(part.target) if isinstance(n, ast.Name)]
            hidden.update(dict.fromkeys(names, element(iterated)))
            if index == 0:
                self._hidden.append(hidden)
            for test in part.ifs:
                self.value(test)
        if isinstance(node, ast.DictComp):
            result = merged([self.value(node.key), self.value(node.value)])
        else:
            result = self.value(node.elt)
        self._hidden.pop()
        self.conditional -= 1
        return replace(as_value(result), path=ITERATOR) if isinstance(node, ast.GeneratorExp) else as_value(result)

    # --- functions of the notebook ---

    def summary_of(self, code: Code) -> Summary:
        """What running a function or lambda, or anything of a class, does beyond its own names."""
        known = self.summaries.get(code)
        if known is not None:
            return known
        self.summaries[code] = Summary()  # for recursion
        summary = self._summarized(code)
        self.summaries[code] = summary
        return summary

    def _summarized(self, code: Code) -> Summary:
        if isinstance(code, ast.ClassDef):
            methods = [self.summary_of(inner) for inner in code.body if isinstance(inner, ast.FunctionDef)]
            changes = frozenset[str]().union(*(method.changes for method in methods))
            binds = frozenset[str]().union(*(method.binds for method in methods))
            return Summary(changes=changes, binds=binds, returns=NOTHING, codes=frozenset({code}))
        inner = Reader(self.world, self.summaries, self._scope_around(code), code, self.lazy_annotations)
        inner.conditional = 1
        for name in parameters(code):
            self.world.held[inner.key(name)] = Value("value")
            self.world.shares.pop(inner.key(name), None)
        if isinstance(code, ast.Lambda):
            inner.returned.append(inner.value(code.body, bare=True))
        else:
            inner.block(code.body)
        mine = f"{id(code)} "
        own = {inner.key(name): name for name in parameters(code)}
        result = merged(inner.returned) if inner.returned else PLAIN
        reached = self.world.reached_from(result.sources)
        return Summary(
            changed_parameters=frozenset(name for key, name in own.items() if key in inner.changes),
            changes=frozenset(name for name in inner.changes if not name.startswith(mine)),
            binds=frozenset(inner.stored),
            returns=frozenset(own.get(name, name) for name in reached if name in own or not name.startswith(mine)),
            returns_plain=result.kind == "plain",
            codes=result.codes,
            reads=frozenset(name for name in inner.needs if not is_variable(name)),
        )

    def _scope_around(self, code: Code) -> Reader:
        """The reader in whose text a code stands: that of the enclosing function, or the module's."""
        reader: Reader | None = self
        while reader is not None:
            if (
                reader.code is not None
                and any(part is code for part in ast.walk(reader.code))
                and reader.code is not code
            ):
                return reader
            if reader.around is None:
                return reader if reader.code is None else Reader(self.world, self.summaries)
            reader = reader.around
        return self
