"""Where a job was sent from, and with which plain values: said at its submission, kept in its folder."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cloudml_magic.records import CapturedSource, JobOrigin, Price
from cloudml_magic.source import masked
from cloudml_magic.storage import Address, ObjectStorage

MANIFEST = "manifest.json"
_LONGEST = 200
_MOST = 60
_HIGHEST_PRICE = 1e6


def origin_of_source(
    source: CapturedSource, notebook: str | None, cell: str, arguments: Sequence[str] = ()
) -> JobOrigin:
    """What a submission can say of itself; `arguments` replace captured values."""
    cells = (statement.cell for statement in source.statements)
    values = {value.name: value.literal for value in source.values if _is_plain(value.literal)}
    for statement in source.statements:
        values |= _assigned(statement.text)
    for argument in arguments:
        name, _, value = argument.removeprefix("--").partition("=")
        values[name] = value
    return JobOrigin(
        notebook=notebook,
        cell=cell or None,
        cell_ids={each.label: each.id for each in cells if each.id is not None},
        parameters=tuple((name, _shown(name, value)) for name, value in list(values.items())[:_MOST]),
    )


def read_origin(folder: Address, storage: ObjectStorage) -> JobOrigin:
    """What a job's folder remembers; nothing where it was sent by somebody else's client."""
    document = _read(folder, storage)
    return JobOrigin(
        notebook=_text(document.get("notebook")),
        cell=_text(document.get("cell")),
        cell_ids=_texts(document.get("cell_ids")),
        parameters=tuple(_texts(document.get("parameters")).items())[:_MOST],
        price=_price(document.get("price")),
    )


def read_export_wished(folder: Address, storage: ObjectStorage) -> Mapping[str, Any]:
    """What the submission said of the model's export; nothing where it was sent by somebody else's client."""
    wished = _read(folder, storage).get("export")
    return wished if isinstance(wished, dict) else {}


def _read(folder: Address, storage: ObjectStorage) -> Mapping[str, Any]:
    try:
        document = json.loads(storage.read(folder / MANIFEST) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _shown(name: str, value: str) -> str:
    # With its name, for `password = …` is told by it.
    return masked(f"{name} = {value}").removeprefix(f"{name} = ")[:_LONGEST]


def _assigned(statement: str) -> Mapping[str, str]:
    """`epochs = 20` as a parameter."""
    try:
        (parsed,) = ast.parse(statement).body
    except (SyntaxError, ValueError):
        return {}
    if not isinstance(parsed, ast.Assign) or len(parsed.targets) != 1 or not isinstance(parsed.targets[0], ast.Name):
        return {}
    literal = ast.unparse(parsed.value)
    return {parsed.targets[0].id: literal} if _is_plain(literal) else {}


def _is_plain(literal: str) -> bool:
    try:
        value = ast.literal_eval(literal)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
    return isinstance(value, bool | int | float | str | tuple) and len(literal) <= _LONGEST


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {str(name)[:_LONGEST]: item[:_LONGEST] for name, item in value.items() if isinstance(item, str)}


def _price(value: Any) -> Price | None:
    if not isinstance(value, dict):
        return None
    hour, currency, source = value.get("per_hour"), value.get("currency"), value.get("source")
    if isinstance(hour, bool) or not isinstance(hour, int | float) or not 0 <= hour < _HIGHEST_PRICE:
        return None
    if not (isinstance(currency, str) and re.fullmatch("[A-Z]{3}", currency) and isinstance(source, str)):
        return None
    return Price(float(hour), currency, source[:_LONGEST], is_limit=value.get("is_limit") is True)


def _text(value: Any) -> str | None:
    return value[:1000] if isinstance(value, str) and value else None
