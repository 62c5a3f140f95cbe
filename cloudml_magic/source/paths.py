"""Strings that code spells out: literals, and what is plainly joined from them."""

from __future__ import annotations

import ast
from collections.abc import Callable

_JOINING = frozenset({"join", "joinpath", "Path", "PurePath", "PosixPath", "str", "expanduser", "abspath", "fspath"})


def joined_path(node: ast.AST | None, text_of: Callable[[str], str | None]) -> str | None:
    """The string to which an expression comes, where the code alone tells; `text_of` knows some names' strings."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Constant(value=int(number)):
            return str(number)
        case ast.Name(id=name):
            return text_of(name)
        case ast.JoinedStr(values=parts):
            return _concatenated([joined_path(part, text_of) for part in parts], "")
        case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
            return joined_path(value, text_of)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _concatenated([joined_path(left, text_of), joined_path(right, text_of)], "")
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _concatenated([joined_path(left, text_of), joined_path(right, text_of)], "/")
        case ast.Call(func=ast.Attribute(value=owner, attr="joinpath"), args=arguments):
            return _concatenated([joined_path(part, text_of) for part in [owner, *arguments]], "/")
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=arguments) if name in _JOINING:
            return _concatenated([joined_path(part, text_of) for part in arguments], "/") if arguments else None
    return None


def _concatenated(parts: list[str | None], separator: str) -> str | None:
    known = [part for part in parts if part is not None]
    if len(known) != len(parts):
        return None
    whole = ""
    for part in known:
        if separator and part.startswith("/"):
            whole = part
        elif separator and whole and not whole.endswith("/"):
            whole += separator + part
        else:
            whole += part
    return whole
