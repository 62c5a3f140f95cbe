"""Which names a function, class or lambda looks up when it runs, and which it binds: Python's scoping rules."""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass, field
from functools import lru_cache

Code = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef

# What a plain Python program has without defining it.
PRESENT = frozenset(dir(builtins)) - {"get_ipython", "display", "__IPYTHON__"} | {
    "__name__", "__file__", "__doc__", "__builtins__", "__spec__", "__package__", "__annotations__", "__loader__",
    "__debug__", "__class__", "__qualname__", "__module__",
}  # fmt: skip

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(slots=True)
class Scope:
    """What one scope, without the functions in it, loads and binds."""

    loads: set[str] = field(default_factory=set)
    stores: set[str] = field(default_factory=set)
    declared: set[str] = field(default_factory=set)
    nested: list[Code] = field(default_factory=list)

    def read(self, node: ast.AST) -> None:
        """Takes in a statement or expression of this scope."""
        waiting: list[ast.AST] = [node]
        while waiting:
            current = waiting.pop()
            if isinstance(current, ast.Name):
                self._name(current)
            elif isinstance(current, _COMPREHENSIONS):
                waiting.append(current.generators[0].iter)
                self._comprehension(current)
            elif isinstance(current, (*_FUNCTIONS, ast.ClassDef)):
                waiting += outside_of(current)
                self._nested(current)
            else:
                self._binding(current)
                if isinstance(current, ast.AugAssign) and isinstance(current.target, ast.Name):
                    self.loads.add(current.target.id)
                waiting += ast.iter_child_nodes(current)

    def _name(self, node: ast.Name) -> None:
        (self.loads if isinstance(node.ctx, ast.Load) else self.stores).add(node.id)

    def _nested(self, node: Code) -> None:
        if not isinstance(node, ast.Lambda):
            self.stores.add(node.name)
        self.nested.append(node)

    def _binding(self, node: ast.AST) -> None:
        match node:
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                self.stores.update(alias.asname or alias.name.partition(".")[0] for alias in names)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                self.stores.add(name)
            case ast.MatchMapping(rest=str(name)):
                self.stores.add(name)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                self.declared.update(names)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        inner = Scope()
        for index, generator in enumerate(node.generators):
            for part in [generator.target, *generator.ifs, *([generator.iter] if index else [])]:
                inner.read(part)
        for part in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            inner.read(part)
        walruses = {
            walrus.target.id for walrus in ast.walk(node) if isinstance(walrus, ast.NamedExpr)
        }  # they bind in the scope around
        own = inner.stores - walruses
        self.loads |= inner.loads - own
        self.stores |= walruses
        for code in inner.nested:
            self.loads |= free_names(code) - own


def outside_of(node: Code) -> list[ast.AST]:
    """The parts of a definition that the scope around it evaluates."""
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    arguments = node.args
    annotated = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    parts: list[ast.AST | None] = [*arguments.defaults, *arguments.kw_defaults]
    parts += [argument.annotation for argument in annotated if argument is not None]
    if not isinstance(node, ast.Lambda):
        parts += [*node.decorator_list, node.returns]
    return [part for part in parts if part is not None]


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> list[str]:
    """The names of all parameters, positional ones first."""
    a = node.args
    every = [*a.posonlyargs, *a.args, *a.kwonlyargs, *([a.vararg] if a.vararg else []), *([a.kwarg] if a.kwarg else [])]
    return [argument.arg for argument in every]


@lru_cache(maxsize=8192)
def scope_of(node: Code) -> Scope:
    """The body of a function, lambda or class as one scope."""
    scope = Scope()
    body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    for part in body:
        scope.read(part)
    return scope


@lru_cache(maxsize=8192)
def local_names(node: Code) -> frozenset[str]:
    """The names that belong to the body itself."""
    scope = scope_of(node)
    own = scope.stores - scope.declared
    return frozenset(own if isinstance(node, ast.ClassDef) else own | set(parameters(node)))


@lru_cache(maxsize=8192)
def free_names(node: Code) -> frozenset[str]:
    """The names that running this code looks up outside of it."""
    if isinstance(node, ast.ClassDef):
        immediate, deferred = class_names(node)
        return immediate | deferred
    scope, own = scope_of(node), local_names(node)
    free = set(scope.loads)
    for inner in scope.nested:
        free |= free_names(inner)
    return frozenset(free - own)


@lru_cache(maxsize=8192)
def class_names(node: ast.ClassDef) -> tuple[frozenset[str], frozenset[str]]:
    """What a class body looks up while the class is made, and what its methods look up later."""
    immediate: set[str] = set()
    deferred: set[str] = set()
    bound: set[str] = set()
    for statement in node.body:
        scope = Scope()
        scope.read(statement)
        immediate |= scope.loads - bound
        for inner in scope.nested:  # methods do not see the names of the class body
            deferred |= free_names(inner) - {"__class__"}
        bound |= scope.stores
    return frozenset(immediate), frozenset(deferred)
