"""Brings a JSON body into the one form that its schema describes, by the rules of proto3 JSON, or says what is wrong.

Accepted as Google accepts it: camelCase and snake_case, enum names in any case and enum numbers, a bare value where a
list is expected, 64-bit integers as strings or numbers. Null means unset.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloudml_magic.discovery.documents import Document
from cloudml_magic.discovery.enums import named

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
_DURATION = re.compile(r"-?\d{1,12}(\.\d{1,9})?s")
_RANGES = {
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**64 - 1),
}
_SNAKE = re.compile(r"_([a-z0-9])")


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with a body, and where."""

    field: str
    description: str


class BodyError(Exception):
    """A body that its schema does not allow."""

    def __init__(self, violations: list[Violation]) -> None:
        self.violations = violations
        super().__init__("\n".join(f"Invalid JSON payload received. {each.description}" for each in violations))


class _UnsetError(Exception):
    """A value that cannot be brought into form; what is wrong has been noted."""


def normalise(document: Document, schema: str, body: Any, *, nulls: bool = False) -> dict[str, Any]:
    """The body in the schema's own form; raises BodyError with everything that is wrong.

    Nulls are dropped as unset, or kept where they mean "remove", as in Cloud Storage's patches.
    """
    reader = _Reader(document, nulls=nulls)
    try:
        result = reader.message(document.schemas[schema], body, "")
    except _UnsetError:
        result = {}
    if reader.violations:
        raise BodyError(reader.violations)
    return result


def violations(document: Document, schema: str, body: Any) -> list[Violation]:
    """What a server's answer has that its schema does not allow; answers must be in the schema's own form."""
    reader = _Reader(document, strict=True)
    with contextlib.suppress(_UnsetError):
        reader.message(document.schemas[schema], body, "")
    return reader.violations


class _Reader:
    def __init__(self, document: Document, *, strict: bool = False, nulls: bool = False) -> None:
        self.document = document
        self.strict = strict
        self.nulls = nulls
        self.violations: list[Violation] = []

    def wrong(self, field: str, description: str) -> _UnsetError:
        self.violations.append(Violation(field, description))
        return _UnsetError()

    def message(self, schema: Mapping[str, Any], value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.wrong(where, f"Invalid value{_at(where)} (Map), {_shown(value)}")
        properties = schema.get("properties", {})
        other = schema.get("additionalProperties")
        result: dict[str, Any] = {}
        for key, item in value.items():
            name = key if self.strict else _property(properties, key)
            field = f"{where}.{name}" if where else name
            rule = properties.get(name, other)
            if rule is None:
                place = f"at '{where}'" if where else ""
                self.wrong(where, f'Unknown name "{key}"{" " + place if place else ""}: Cannot find field.')
                continue
            if name not in properties:
                name = key
            if item is None and not self.strict and rule.get("type") != "any":
                if self.nulls:
                    result[name] = None
                continue
            if name in result:
                self.wrong(field, f'Invalid value{_at(where)} "{key}": the field is set twice.')
                continue
            try:
                result[name] = self.value(rule, item, field)
            except _UnsetError:
                continue
        return result

    def value(self, rule: Mapping[str, Any], value: Any, where: str) -> Any:
        if "$ref" in rule:
            target = self.document.schemas[rule["$ref"]]
            return (
                self.value(target, value, where) if target.get("type") == "any" else self.message(target, value, where)
            )
        kind = rule.get("type", "any")
        if kind == "any":
            return value
        if kind == "array":
            return self.array(rule, value, where)
        if kind == "object":
            return self.message(rule, value, where)
        if "enum" in rule:
            return self.enum(rule, value, where)
        return self.scalar(kind, rule.get("format", ""), value, where)

    def array(self, rule: Mapping[str, Any], value: Any, where: str) -> list[Any]:
        if not isinstance(value, list):
            if self.strict:
                raise self.wrong(where, f"Invalid value{_at(where)} (list), {_shown(value)}")
            value = [value]
        result = []
        for index, item in enumerate(value):
            try:
                result.append(self.value(rule["items"], item, f"{where}[{index}]"))
            except _UnsetError:
                continue
        return result

    def enum(self, rule: Mapping[str, Any], value: Any, where: str) -> str:
        names = rule["enum"]
        name = named(names, value)
        if name is None or (self.strict and name != value):
            raise self.wrong(where, f"Invalid value{_at(where)} (enum of {names[0]} …), {_shown(value)}")
        return name

    def scalar(self, kind: str, form: str, value: Any, where: str) -> Any:
        if form in _RANGES:
            return self.integer(kind, form, value, where)
        if kind == "boolean":
            if isinstance(value, bool):
                return value
            if not self.strict and value in ("true", "false"):
                return value == "true"
            raise self.wrong(where, f"Invalid value{_at(where)} (TYPE_BOOL), {_shown(value)}")
        if kind in ("number", "integer"):
            return self.number(value, where)
        if not isinstance(value, str):
            raise self.wrong(where, f"Invalid value{_at(where)} (TYPE_STRING), {_shown(value)}")
        self.text(form, value, where)
        return value

    def integer(self, kind: str, form: str, value: Any, where: str) -> int | str:
        number: int | None = None
        if isinstance(value, float) and value.is_integer():
            number = int(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            number = value
        elif isinstance(value, str) and re.fullmatch(r"-?\d{1,20}", value):
            number = int(value)
        low, high = _RANGES[form]
        misformed = self.strict and (isinstance(value, float) or isinstance(value, str) != (kind == "string"))
        if number is None or not low <= number <= high or misformed:
            raise self.wrong(where, f"Invalid value{_at(where)} (TYPE_{form.upper()}), {_shown(value)}")
        return str(number) if kind == "string" else number

    def number(self, value: Any, where: str) -> float:
        if isinstance(value, str) and not self.strict:
            try:
                value = float(value)
            except ValueError:
                value = None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.wrong(where, f"Invalid value{_at(where)} (TYPE_DOUBLE), {_shown(value)}")
        return value

    def text(self, form: str, value: str, where: str) -> None:
        if form == "google-duration" and not _DURATION.fullmatch(value):
            raise self.wrong(
                where,
                f"Invalid value{_at(where)} (type.googleapis.com/google.protobuf.Duration), "
                f"Field '{where}', Illegal duration format; duration must end with 's'",
            )
        if form in ("google-datetime", "date-time") and not _is_time(value, in_utc=self.strict):
            raise self.wrong(
                where,
                f"Invalid value{_at(where)} (type.googleapis.com/google.protobuf.Timestamp), "
                f"Field '{where}', Invalid time format: {value[:60]}",
            )
        if form == "byte":
            try:
                base64.b64decode(
                    value + "=" * (-len(value) % 4), altchars=b"-_" if set(value) & {"-", "_"} else None, validate=True
                )
            except (binascii.Error, ValueError):
                raise self.wrong(where, f"Invalid value{_at(where)} (TYPE_BYTES), Base64 decoding failed") from None


def _property(properties: Mapping[str, Any], key: str) -> str:
    if key in properties:
        return key
    return _SNAKE.sub(lambda match: match[1].upper(), key)


def _at(where: str) -> str:
    return f" at '{where}'" if where else ""


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value[:60]}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return repr(value)[:60]


def _is_time(value: str, *, in_utc: bool) -> bool:
    """Whether it is RFC 3339, which Google's servers write in UTC and with a Z."""
    if not _TIME.fullmatch(value) or (in_utc and not value.endswith("Z")):
        return False
    try:
        # Python reads six digits of a second's fraction; Google sends up to nine.
        datetime.fromisoformat(re.sub(r"(\.\d{6})\d{1,3}", r"\1", value.upper()))
    except ValueError:
        return False
    return True
