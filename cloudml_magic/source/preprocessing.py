"""Finds which of Keras's own `preprocess_input` functions training applies to pictures before they reach the model.

It reads the statements only. A model that holds the function itself must not have it applied twice, so whatever
looks like being inside a model counts as inside.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_FUNCTION = re.compile(r"(?:tensorflow\.)?keras\.(?:api\.|src\.)?applications\.(\w+)\.preprocess_input")
_MODELS = frozenset({"Sequential", "Lambda", "Model", "Functional", "Layer"})
_INPUTS = frozenset({"Input", "InputLayer"})
_OF_A_MODEL = frozenset({"input", "inputs", "output", "outputs"})
_DIVISORS = (255, 127.5)
_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Module


@dataclass(frozen=True, slots=True)
class AppliedPreprocessing:
    """The functions applied before the model, and those inside it, by their full names; `scaling` is a factor by which
    pictures may have been scaled, for a division by 255 can be of anything."""

    before: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    scaling: str | None = None


def applied_preprocessing(texts: Iterable[str]) -> AppliedPreprocessing:
    """What the statements of a training apply."""
    try:
        tree = ast.parse("\n".join(texts))
    except (SyntaxError, ValueError, RecursionError):
        return AppliedPreprocessing()
    return _Reading(tree).result()


def own_layers(texts: Iterable[str]) -> tuple[str, ...]:
    """The layers and models that the statements define, and `Lambda` where they use one."""
    try:
        tree = ast.parse("\n".join(texts))
    except (SyntaxError, ValueError, RecursionError):
        return ()
    found = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(_last_name(base) in _MODELS for base in node.bases)
    }
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return tuple(sorted(found | {"Lambda" for call in calls if _last_name(call.func) == "Lambda"}))


@dataclass
class _Reading:
    tree: ast.Module
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    flowing: dict[_Scope, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in ast.walk(self.tree):
            self.parents.update((child, node) for child in ast.iter_child_nodes(node))
            self._learn(node)
        self._follow()

    def result(self) -> AppliedPreprocessing:
        before: set[str] = set()
        inside: set[str] = set()
        for node in ast.walk(self.tree):
            name = self._function(node)
            if name and not self._is_alias(node):
                (inside if self._is_inside(node) else before).add(name)
        return AppliedPreprocessing(tuple(sorted(before)), tuple(sorted(inside)), self._scaling())

    def _scaling(self) -> str | None:
        """`1/255` or `1/127.5-1`, where data is divided so."""
        for node in ast.walk(self.tree):
            match node:
                case (
                    ast.BinOp(left=data, op=ast.Div(), right=ast.Constant(value=by))
                    | ast.AugAssign(target=data, op=ast.Div(), value=ast.Constant(value=by))
                ) if by in _DIVISORS and not isinstance(data, ast.Constant) and not self._flows(data):
                    return f"1/{by:g}" if by == 255 else f"1/{by:g}-1"
        return None

    # --- what names stand for ---

    def _learn(self, node: ast.AST) -> None:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    first = alias.name.partition(".")[0]
                    self.aliases[alias.asname or first] = alias.name if alias.asname else first
            case ast.ImportFrom(module=str(module), names=names, level=0):
                self.aliases.update({alias.asname or alias.name: f"{module}.{alias.name}" for alias in names})
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Attribute() | ast.Name() as value):
                if dotted := self._dotted(value):
                    self.aliases.setdefault(name, dotted)

    def _dotted(self, node: ast.AST) -> str | None:
        if isinstance(node, ast.Name):
            return self.aliases.get(node.id)
        if isinstance(node, ast.Attribute):
            owner = self._dotted(node.value)
            return f"{owner}.{node.attr}" if owner else None
        return None

    def _function(self, node: ast.AST) -> str | None:
        if not isinstance(node, (ast.Name, ast.Attribute)) or not isinstance(node.ctx, ast.Load):
            return None
        found = _FUNCTION.fullmatch(self._dotted(node) or "")
        return f"keras.applications.{found[1]}.preprocess_input" if found else None

    def _is_alias(self, node: ast.AST) -> bool:
        parent = self.parents.get(node)
        return isinstance(parent, ast.Assign) and parent.value is node

    # --- what flows through a model while it is built ---

    def _follow(self) -> None:
        functions = {node.name: node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef)}
        size = -1
        while size != (size := sum(map(len, self.flowing.values()))):
            for node in ast.walk(self.tree):
                if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value and self._flows(node.value):
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    self._mark(node, (name.id for target in targets for name in _names(target)))
                elif isinstance(node, ast.NamedExpr) and self._flows(node.value):
                    self._mark(node, [node.target.id])
                elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions:
                    called = functions[node.func.id]
                    given = zip([one.arg for one in called.args.args], node.args, strict=False)
                    named = ((word.arg, word.value) for word in node.keywords if word.arg)
                    found = {name for name, value in [*given, *named] if self._flows(value)}
                    self.flowing.setdefault(called, set()).update(found)

    def _mark(self, node: ast.AST, names: Iterable[str]) -> None:
        self.flowing.setdefault(self._scope(node), set()).update(names)

    def _flows(self, node: ast.AST) -> bool:
        """Whether an expression is a symbolic tensor of a model under construction, as far as one can see."""
        if isinstance(node, ast.Call):
            if _last_name(node.func) in _INPUTS:
                return True
            return any(map(self._flows, [*node.args, *(word.value for word in node.keywords)]))
        if isinstance(node, ast.Name):
            return any(node.id in self.flowing.get(scope, ()) for scope in self._scopes(node))
        if isinstance(node, ast.Attribute) and node.attr in _OF_A_MODEL:
            return True
        return any(map(self._flows, ast.iter_child_nodes(node)))

    def _scopes(self, node: ast.AST) -> Iterator[_Scope]:
        while (parent := self.parents.get(node)) is not None:
            node = parent
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Module)):
                yield node

    def _scope(self, node: ast.AST) -> _Scope:
        return next(self._scopes(node))

    def _is_inside(self, reference: ast.AST) -> bool:
        call = self.parents.get(reference)
        if isinstance(call, ast.Call) and call.func is reference and any(map(self._flows, call.args)):
            return True
        node = reference
        while (parent := self.parents.get(node)) is not None:
            if isinstance(parent, ast.Call) and node is not parent.func and _last_name(parent.func) in _MODELS:
                return True
            if isinstance(parent, ast.ClassDef) and any(_last_name(base) in _MODELS for base in parent.bases):
                return True
            node = parent
        return False


def _names(target: ast.AST) -> Iterator[ast.Name]:
    return (node for node in ast.walk(target) if isinstance(node, ast.Name))


def _last_name(node: ast.AST) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None
