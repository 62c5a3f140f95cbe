"""`--arg NAME=VALUE` and `--env NAME`: another value for a name to which a cell assigns a literal."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.source.kernel_values import literal
from cloudml_magic.source.statements import Statement


def replaced(statement: Statement, arguments: Mapping[str, str], environment: frozenset[str]) -> Statement:
    """The statement with the literals of these names exchanged; itself where there are none."""
    changes = [
        (value, _new_text(name, ast.literal_eval(value), arguments, environment))
        for name, value in _literals(statement.node)
        if name in arguments or name in environment
    ]
    if not changes:
        return statement
    start = getattr(statement.node, "col_offset", 0)
    lines = [line.encode("utf-8", "surrogatepass") for line in statement.text.split("\n")]
    for value, new in sorted(changes, key=lambda change: (change[0].lineno, change[0].col_offset), reverse=True):
        first, last = value.lineno - statement.line, (value.end_lineno or value.lineno) - statement.line
        left = value.col_offset - (start if first == 0 else 0)
        right = (value.end_col_offset or 0) - (start if last == 0 else 0)
        lines[first : last + 1] = [lines[first][:left] + new.encode() + lines[last][right:]]
    text = b"\n".join(lines).decode("utf-8", "surrogatepass")
    node = ast.parse(text).body[0]
    ast.increment_lineno(node, statement.line - 1)
    return Statement(node, text, statement.line)


def sets_variable(node: ast.stmt, environment: frozenset[str]) -> bool:
    """Whether a statement sets a variable of the environment that the job is handed anyway."""
    match node:
        case ast.Assign(
            targets=[ast.Subscript(value=ast.Attribute(attr="environ"), slice=ast.Constant(value=str(name)))]
        ):
            return name in environment
    return False


def literal_names(statement: Statement) -> frozenset[str]:
    """The names to which a statement assigns literals."""
    return frozenset(name for name, _ in _literals(statement.node))


def value_text(name: str, before: Any, arguments: Mapping[str, str]) -> str:
    """The new source text of a name that held `before`."""
    return _new_text(name, before, arguments, frozenset())


def from_environment(name: str) -> str:
    """The source text that reads a handed-over variable."""
    return f'__import__("os").environ[{name!r}]'


def not_an_argument(name: str, why: str) -> CloudMLError:
    """`--arg` of a name that has no plain value in what travels."""
    return CloudMLError(
        "unknown-argument", f"--arg {name}: the job has no plain value of this name.", why=why,
        next=f"Assign a literal to {name} in a cell (`{name} = …`) and use it in the cell that trains.",
    )  # fmt: skip


def _literals(node: ast.stmt) -> list[tuple[str, ast.expr]]:
    pairs: list[tuple[str, ast.expr]] = []
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                pairs += _matched(target, value)
            if len(targets) > 1:
                pairs = pairs[:1] if pairs else []
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            pairs += _matched(target, value)
    return [(name, value) for name, value in pairs if _is_literal(value)]


def _matched(target: ast.expr, value: ast.expr) -> list[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        return [(target.id, value)]
    if (
        isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List)
        and len(target.elts) == len(value.elts)
    ):  # fmt: skip
        return [pair for one, other in zip(target.elts, value.elts, strict=True) for pair in _matched(one, other)]
    return []


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _new_text(name: str, before: Any, arguments: Mapping[str, str], environment: frozenset[str]) -> str:
    if name in environment and name not in arguments:
        return from_environment(name)
    given = arguments[name]
    value = _converted(name, before, given)
    text = literal(value)
    return text if text is not None else repr(given)


def _converted(name: str, before: Any, given: str) -> Any:
    """The given text as a value of the type that the name has; numbers may change between whole and not."""
    if isinstance(before, str):
        return given
    if isinstance(before, bytes):
        return given.encode()
    if isinstance(before, bool):
        truth = {
            "true": True,
            "1": True,
            "yes": True,
            "on": True,
            "false": False,
            "0": False,
            "no": False,
            "off": False,
        }
        if given.strip().lower() in truth:
            return truth[given.strip().lower()]
        raise _wrong_type(name, given, "True or False")
    value = _evaluated(given)
    if isinstance(before, int | float | complex):
        if isinstance(value, int | float | complex) and not isinstance(value, bool):
            return float(value) if isinstance(before, float) and isinstance(value, int) else value
        raise _wrong_type(name, given, "a number")
    if before is None or value is None or type(value) is type(before):
        return value
    if isinstance(before, list | tuple) and isinstance(value, list | tuple):
        return type(before)(value)
    raise _wrong_type(name, given, f"a {type(before).__name__}")


def _evaluated(given: str) -> Any:
    try:
        return ast.literal_eval(given.strip())
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        pass
    try:
        return float(given)  # nan, inf
    except ValueError:
        return given


def _wrong_type(name: str, given: str, wanted: str) -> CloudMLError:
    return CloudMLError(
        "argument-type", f"--arg {name}={given} does not fit.", why=f"{name} is {wanted} in the notebook.",
        next=f"Give {wanted}, or change the cell.",
    )  # fmt: skip
