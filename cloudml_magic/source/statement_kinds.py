"""How each kind of Python statement is read: what it evaluates, binds and changes."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cloudml_magic.source.names import Code, class_names, outside_of
from cloudml_magic.source.world import FRESH, PLAIN, Kind, Value, as_value, element

if TYPE_CHECKING:
    from cloudml_magic.source.reader import Reader


def _expression(reader: Reader, node: ast.Expr) -> None:
    reader.value(node.value, bare=True)


def _assign(reader: Reader, node: ast.Assign) -> None:
    pattern = isinstance(node.value, ast.Tuple | ast.List) and all(
        isinstance(target, ast.Tuple | ast.List) and len(target.elts) == len(node.value.elts)
        and not any(isinstance(e, ast.Starred) for e in [*target.elts, *node.value.elts])
        for target in node.targets
    )  # fmt: skip
    value = FRESH if pattern and len(node.targets) == 1 else reader.value(node.value)
    for target in node.targets:
        reader.bind(target, value, node.value if pattern and len(node.targets) == 1 else None)


def _annotated(reader: Reader, node: ast.AnnAssign) -> None:
    if not reader.lazy_annotations and reader.code is None:
        reader.value(node.annotation)
    if node.value is not None:
        reader.bind(node.target, reader.value(node.value))


def _augmented(reader: Reader, node: ast.AugAssign) -> None:
    by = reader.value(node.value)
    if not isinstance(node.target, ast.Name):
        reader.bind(node.target, by)
        return
    name = node.target.id
    held = reader.load(name)
    if held.kind == "plain":
        reader.store(name, PLAIN if by.kind == "plain" else FRESH)
        return
    reader.change(held, by=[by] if isinstance(node.op, ast.Add) else ())
    key = reader.key(name)
    if key == name:
        reader.stored.add(name)
        reader.bound.add(name)
    if held.kind in {"display", "module", "imported", "function", "class"}:
        reader.world.assign(key, FRESH, conditional=True)


def _delete(reader: Reader, node: ast.Delete) -> None:
    for target in node.targets:
        for part in target.elts if isinstance(target, ast.Tuple | ast.List) else [target]:
            if isinstance(part, ast.Name):
                reader.load(part.id)
                key = reader.key(part.id)
                if not reader.conditional:
                    reader.bound.discard(part.id)
                    reader.world.forget(key)
                if key == part.id:
                    (reader.changes if reader.conditional else reader.deletes).add(key)
            else:
                reader.bind(part, PLAIN)


def _for(reader: Reader, node: ast.For | ast.AsyncFor) -> None:
    iterated = reader.value(node.iter)
    reader.use_up(node.iter, iterated)

    def body() -> None:
        for _ in range(2 if reader.loops == 0 else 1):  # what one round leaves, the next one meets
            reader.loops += 1
            _bind_each(reader, node.iter, node.target, iterated)
            reader.block(node.body)
            reader.loops -= 1

    reader.branches(body, lambda: None, certain=False)
    reader.branches(lambda: reader.block(node.orelse), lambda: None, certain=False)


def _bind_each(reader: Reader, walked: ast.expr | None, target: ast.expr, iterated: Value) -> None:
    """Of `zip` and `enumerate` each target gets what it walks through, not what its neighbours do."""
    match walked, target:
        case ast.Call(func=ast.Name(id="zip"), args=parts, keywords=[]), ast.Tuple(elts=targets) if len(parts) == len(
            targets
        ) and not any(isinstance(part, ast.Starred) for part in [*parts, *targets]):
            for own, part in zip(targets, parts, strict=True):
                _bind_each(reader, part, own, reader.value(part))
        case ast.Call(func=ast.Name(id="enumerate"), args=[part, *_]), ast.Tuple(elts=[ast.Name() as index, own]):
            reader.bind(index, PLAIN)
            _bind_each(reader, part, own, reader.value(part))
        case _:
            reader.bind(target, element(iterated))


def _while(reader: Reader, node: ast.While) -> None:
    reader.value(node.test)

    def body() -> None:
        for _ in range(2 if reader.loops == 0 else 1):
            reader.loops += 1
            reader.block(node.body)
            reader.loops -= 1
            reader.value(node.test)

    reader.branches(body, lambda: None, certain=False)
    reader.branches(lambda: reader.block(node.orelse), lambda: None, certain=False)


def _if(reader: Reader, node: ast.If) -> None:
    reader.value(node.test)
    reader.branches(lambda: reader.block(node.body), lambda: reader.block(node.orelse), certain=True)


def _with(reader: Reader, node: ast.With | ast.AsyncWith) -> None:
    for item in node.items:
        value = reader.value(item.context_expr)
        if item.optional_vars is not None:
            reader.bind(item.optional_vars, as_value(value))
    reader.block(node.body)


def _try(reader: Reader, node: ast.Try) -> None:
    def ordinary() -> bool:
        ends = reader.block(node.body)
        return (reader.block(node.orelse) if node.orelse else True) and ends

    def handled(handler: ast.ExceptHandler) -> Callable[[], bool]:
        def read() -> bool:
            reader.value(handler.type)
            if handler.name:
                reader.store(handler.name, FRESH)
            return reader.block(handler.body)

        return read

    reader.branches(ordinary, *(handled(handler) for handler in node.handlers), certain=True)
    reader.block(node.finalbody)


def _match(reader: Reader, node: ast.Match) -> None:
    subject = reader.value(node.subject)

    def chosen(case: ast.match_case) -> Callable[[], bool]:
        def read() -> bool:
            for part in ast.walk(case.pattern):
                name = getattr(part, "name", None) or getattr(part, "rest", None)
                if isinstance(name, str):
                    reader.store(name, element(subject))
                if isinstance(part, ast.MatchValue):
                    reader.value(part.value)
                elif isinstance(part, ast.MatchClass):
                    reader.value(part.cls)
            reader.value(case.guard)
            return reader.block(case.body)

        return read

    last = node.cases[-1]
    whole = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None and last.guard is None
    reader.branches(*(chosen(case) for case in node.cases), *([] if whole else [lambda: None]), certain=True)


def _function(reader: Reader, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    codes: frozenset[Code] = frozenset({node})
    annotations = {id(argument.annotation) for argument in ast.walk(node.args) if isinstance(argument, ast.arg)}
    annotations.add(id(node.returns))
    for part in outside_of(node):
        if part in node.decorator_list:
            codes |= _decorator(reader, part)
        elif not (reader.lazy_annotations and id(part) in annotations):
            codes |= reader.value(part).codes
    reader.store(node.name, Value("function", codes=codes))


def _class(reader: Reader, node: ast.ClassDef) -> None:
    codes: frozenset[Code] = frozenset({node})
    for part in outside_of(node):
        if part in node.decorator_list:
            codes |= _decorator(reader, part)
        else:
            codes |= reader.value(part.value if isinstance(part, ast.keyword) else part).codes
    immediate, _ = class_names(node)
    for name in immediate:
        reader.load(name)
    reader.store(node.name, Value("class", codes=codes))


def _decorator(reader: Reader, node: ast.AST) -> frozenset[Code]:
    """A decorator is called with what it decorates; one that registers changes where it registers."""
    value = reader.value(node)
    called = reader.value(node.func) if isinstance(node, ast.Call) else value
    if called.path:
        if "regist" in called.path.rpartition(".")[2]:
            reader.change_module(called.path)
            reader.changes |= called.roots
    elif isinstance(node, ast.Attribute) or (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        reader.change(called)
    for code in called.codes:
        reader.changes |= reader.summary_of(code).changes
    return called.codes


def _import(reader: Reader, node: ast.Import) -> None:
    for alias in node.names:
        if alias.asname:
            reader.store(alias.asname, Value("module", path=alias.name))
        else:
            top = alias.name.partition(".")[0]
            reader.store(top, Value("module", path=top))
            if "." in alias.name:  # adds a member to what the name may hold already
                reader.bound.discard(top)


def _import_from(reader: Reader, node: ast.ImportFrom) -> None:
    module = "." * node.level + (node.module or "")
    for alias in node.names:
        if alias.name == "*":
            reader.stars.append(module)
        else:
            kind: Kind = "module" if alias.name in _SUBMODULES else "imported"
            reader.store(alias.asname or alias.name, Value(kind, path=f"{module}.{alias.name}"))


_SUBMODULES = frozenset({"keras", "layers", "models", "random", "pyplot", "backend", "optimizers", "losses"})


def _global(reader: Reader, node: ast.Global | ast.Nonlocal) -> None:
    """Scoping is read beforehand."""


def _assert(reader: Reader, node: ast.Assert) -> None:
    reader.value(node.test)
    reader.value(node.msg)


def _return(reader: Reader, node: ast.Return) -> None:
    reader.returned.append(reader.value(node.value))


def _raise(reader: Reader, node: ast.Raise) -> None:
    reader.value(node.exc)
    reader.value(node.cause)


STATEMENTS: dict[type[ast.stmt], Callable[[Reader, Any], None]] = {
    ast.Expr: _expression, ast.Assign: _assign, ast.AnnAssign: _annotated, ast.AugAssign: _augmented,
    ast.Delete: _delete, ast.For: _for, ast.AsyncFor: _for, ast.While: _while, ast.If: _if, ast.With: _with,
    ast.AsyncWith: _with, ast.Try: _try, ast.TryStar: _try, ast.Match: _match, ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function, ast.ClassDef: _class, ast.Import: _import, ast.ImportFrom: _import_from,
    ast.Global: _global, ast.Nonlocal: _global, ast.Assert: _assert, ast.Return: _return, ast.Raise: _raise,
}  # fmt: skip
