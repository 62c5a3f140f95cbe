"""Google's filter language, as far as its clients use it: comparisons joined by AND, OR, NOT and parentheses."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from typing import Any

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.times import read

Subject = Callable[[str], Any]
"""Finds a field's value by its dotted name; None if the subject has no such field."""
Predicate = Callable[[Subject], bool]

_TOKEN = re.compile(
    r'\s*(?:(?P<paren>[()])|(?P<operator><=|>=|!=|=~|!~|=|<|>|:)|(?P<text>"(?:[^"\\]|\\.)*")'
    r'|(?P<word>(?:[^\s()<>=!:"~]|(?<=\d):(?=\d)|"(?:[^"\\]|\\.)*"(?=[.=]))+))'
)
_SEVERITIES = ("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY")
_LONGEST = 20_000
_DEEPEST = 50


def compiled(text: str) -> Predicate:
    """The filter as a predicate; an empty one holds of everything. Raises PlatformError for what is no filter."""
    if len(text) > _LONGEST:
        raise _invalid("it is too long")
    tokens = _tokens(text)
    if not tokens:
        return lambda subject: True
    parser = _Parser(tokens)
    predicate = parser.either(0)
    if parser.position < len(tokens):
        raise _invalid(f"unexpected {tokens[parser.position][1]!r}")
    return predicate


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _invalid(f"unexpected {text[position : position + 20]!r}")
        kind = str(found.lastgroup)
        tokens.append((kind, found[kind]))
        position = found.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.position = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.position] if self.position < len(self.tokens) else ("", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.position += 1
        return token

    def either(self, depth: int) -> Predicate:
        if depth > _DEEPEST:
            raise _invalid("it is nested too deeply")
        choices = [self.both(depth)]
        while self.peek() == ("word", "OR"):
            self.take()
            choices.append(self.both(depth))
        return choices[0] if len(choices) == 1 else lambda subject: any(each(subject) for each in choices)

    def both(self, depth: int) -> Predicate:
        parts = [self.term(depth)]
        while self.peek()[0] and self.peek() not in (("word", "OR"), ("paren", ")")):
            if self.peek() == ("word", "AND"):
                self.take()
            parts.append(self.term(depth))
        return parts[0] if len(parts) == 1 else lambda subject: all(each(subject) for each in parts)

    def term(self, depth: int) -> Predicate:
        kind, text = self.take()
        if (kind, text) == ("word", "NOT"):
            if depth > _DEEPEST:
                raise _invalid("it is nested too deeply")
            inner = self.term(depth + 1)
            return lambda subject: not inner(subject)
        if (kind, text) == ("paren", "("):
            inner = self.either(depth + 1)
            if self.take() != ("paren", ")"):
                raise _invalid("a parenthesis is not closed")
            return inner
        if kind not in ("word", "text"):
            raise _invalid(f"unexpected {text!r}" if text else "it ends too early")
        return self.comparison(_unquoted(text) if kind == "text" else text.replace('"', ""))

    def comparison(self, field: str) -> Predicate:
        kind, operator = self.take()
        if kind != "operator":
            raise _invalid(f"{field!r} is followed by no comparison")
        kind, text = self.take()
        if kind not in ("word", "text"):
            raise _invalid(f"{field!r} is compared with nothing")
        value = _unquoted(text) if kind == "text" else text
        if operator in ("=~", "!~"):
            raise PlatformError(501, "The local platform's filters know no regular expressions.")
        return lambda subject: _holds(field, operator, subject(field), value)


def _holds(field: str, operator: str, actual: Any, value: str) -> bool:
    if operator == ":":
        return _has(actual, value)
    if actual is None:
        return operator == "!="
    if operator in ("=", "!="):
        return bool(_ordered(field, actual) == _ordered(field, value)) == (operator == "=")
    left, right = _ordered(field, actual), _ordered(field, value)
    if type(left) is not type(right):
        return False
    return bool({"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[operator])


def _has(actual: Any, value: str) -> bool:
    if actual is None:
        return False
    if value == "*":
        return True
    if isinstance(actual, dict):
        return value in actual
    text, value = str(actual).lower(), value.lower()
    if "*" in value:
        return fnmatch.fnmatchcase(text, re.sub(r"([\[\]?])", r"[\1]", value))
    return value in text


def _ordered(field: str, value: Any) -> Any:
    if field == "severity" and str(value).upper() in _SEVERITIES:
        return _SEVERITIES.index(str(value).upper())
    if field.endswith(("time", "Time", "timestamp")):
        try:
            return read(str(value))
        except ValueError:
            raise _invalid(f"{str(value)[:40]!r} is no time") from None
    return str(value)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _invalid(why: str) -> PlatformError:
    return PlatformError(400, f"Invalid filter: {why}.")
