"""Reads the query of a request by its method's parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from cloudml_magic.discovery.bodies import BodyError, Violation
from cloudml_magic.discovery.documents import Document, Method


def normalise_parameters(
    document: Document, method: Method, query: Iterable[tuple[str, str]], *, unknown_allowed: bool = False
) -> dict[str, Any]:
    """Name → value, integers and booleans as such; raises BodyError for names and values that do not belong."""
    result: dict[str, Any] = {}
    wrong: list[Violation] = []
    for name, text in query:
        if name.startswith("$"):
            continue  # `$alt=json;enum-encoding=int` and its kin: names are a legal answer to it.
        rule = method.parameters.get(name) or document.parameters.get(name)
        if rule is None or rule.get("location") == "path":
            if not unknown_allowed:
                wrong.append(Violation(name, f'Unknown name "{name}": Cannot bind query parameter.'))
            continue
        value = _value(rule, text)
        if value is None:
            wrong.append(
                Violation(name, f"Invalid value at '{name}' ({rule.get('format') or rule['type']}), \"{text[:60]}\"")
            )
        elif rule.get("repeated"):
            result.setdefault(name, []).append(value)
        else:
            result[name] = value
    if wrong:
        raise BodyError(wrong)
    return result


def _value(rule: Any, text: str) -> Any:
    if rule.get("format") in ("int32", "uint32", "int64", "uint64"):
        if not re.fullmatch(r"-?\d{1,19}", text):
            return None
        number = int(text)
        return None if number < 0 and rule["format"].startswith("u") else number
    if rule["type"] == "boolean":
        return {"true": True, "false": False}.get(text.lower())
    return text
