"""JSON bodies, strictly and fast: numbers go from text straight into an array."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from cloudml_magic.serving.refusals import RefusedError

MOST_BYTES = 10 * 1024 * 1024
# From here on it is worth while to look whether a body is numbers only.
_LARGE = 64 * 1024
_KEYS = ("instances", "inputs", "signature_name", "parameters")


@dataclass(frozen=True, slots=True)
class JsonBody:
    """The envelope of a request: its values are nested lists, objects, or already an array of numbers."""

    values: Any
    in_columns: bool
    signature_name: str | None


def read_json(body: bytes) -> JsonBody:
    """Row or column format; raises RefusedError where it is neither."""
    return (len(body) >= _LARGE and _of_numbers(body)) or _of_document(_document(body))


def _of_document(document: Any) -> JsonBody:
    if not isinstance(document, dict):
        raise RefusedError(400, 'The body is no object. Send {"instances": […]} or {"inputs": …}.')
    unknown = [key for key in document if key not in _KEYS]
    if unknown:
        raise RefusedError(400, f"The body has the key {unknown[0][:100]!r}. Known are {', '.join(_KEYS)}.")
    if ("instances" in document) == ("inputs" in document):
        raise RefusedError(400, 'Send either {"instances": […]}, a list with one entry each, or {"inputs": …}.')
    name = document.get("signature_name")
    if name is not None and not isinstance(name, str):
        raise RefusedError(400, "`signature_name` is no text.")
    in_columns = "inputs" in document
    return JsonBody(document["inputs" if in_columns else "instances"], in_columns, name or None)


def _document(body: bytes) -> Any:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        raise RefusedError(400, f"The body is no JSON: {problem}. NaN and infinity are none either.") from None
    # A key that came twice is gone from the document: then it has fewer colons than the text.
    colons = body.count(b":")
    is_flat = isinstance(document, dict) and len(document) == colons
    if not is_flat and (colons != orjson.dumps(document).count(b":") or b"\\u003" in body):
        json.loads(body, object_pairs_hook=_without_repetition)
    return document


def _without_repetition(pairs: list[tuple[str, Any]]) -> None:
    seen = set()
    for key, _ in pairs:
        if key in seen:
            raise RefusedError(400, f"The key {key[:100]!r} comes twice in one object. Send each once.")
        seen.add(key)


# --- bodies that are one array of numbers ---

_NUMBER_CHARACTERS = b"0123456789+-.eE \t\r\n"
_SPACE = b" \t\r\n"
_OPENING, _CLOSING, _COMMA = b"[],"
_NAME = rb'"signature_name"\s*:\s*"([A-Za-z0-9_]*)"'
_HEAD = re.compile(rb"\s*\{\s*(?:" + _NAME + rb'\s*,\s*)?"(instances|inputs)"\s*:\s*(?=\[)')
_TAIL = re.compile(rb"\s*(?:,\s*" + _NAME + rb"\s*)?\}\s*\Z")


def _of_numbers(body: bytes) -> JsonBody | None:
    """The body if it is an envelope around one regular array of numbers; None sends it the long way.

    Brackets say only what the shape is, and that is checked by itself; without them the numbers are one flat list,
    which takes a quarter of the time and of the objects of a nested one.
    """
    head = _HEAD.match(body)
    end = body.rfind(b"]") + 1
    tail = _TAIL.match(body, end) if head and end else None
    if head is None or tail is None or (head[1] and tail[1]):
        return None
    values = array_of_numbers(body[head.end() : end])
    if values is None:
        return None
    name = (head[1] or tail[1] or b"").decode()
    return JsonBody(values, head[2] == b"inputs", name or None)


def array_of_numbers(text: bytes) -> Any:
    """The array that a JSON text is, if it is a regular one of numbers; else None."""
    structure = text.translate(None, _NUMBER_CHARACTERS)
    shape = _regular_shape(structure)
    if shape is None or not _brackets_stand_right(text):
        return None
    try:
        flat = orjson.loads(b"[" + text.translate(None, b"[]") + b"]")
    except orjson.JSONDecodeError:
        return None
    is_whole = not any(mark in text for mark in (b".", b"e", b"E"))
    try:
        values = np.array(flat, np.int64 if is_whole else np.float64)
    except OverflowError:
        return None
    return values.reshape(shape) if len(flat) == math.prod(shape) else None


def _regular_shape(structure: bytes) -> tuple[int, ...] | None:
    """`[[,],[,]]` is (2, 2); None where the brackets make no regular array or anything else stands between them."""
    depth = len(structure) - len(structure.lstrip(b"["))
    if not 1 <= depth <= 32:
        return None
    innermost = structure[depth : structure.find(b"]")]
    if innermost.strip(b","):
        return None
    sizes = [len(innermost) + 1]
    part = b"[" + innermost + b"]"
    for level in range(depth - 2, -1, -1):
        # The first group of this dimension ends where all the dimensions within it do, and its own.
        end = structure.find(b"]" * (depth - level))
        count, rest = divmod(end + depth - level - 1 - level, len(part) + 1)
        if end < 0 or rest or not count:
            return None
        sizes.append(count)
        part = b"[" + b",".join([part] * count) + b"]"
        if len(part) > len(structure):
            return None
    return tuple(reversed(sizes)) if part == structure else None


def _brackets_stand_right(text: bytes) -> bool:
    """No number stands directly before an opening or after a closing bracket, as in `[1, 2], 3[, 4]`."""
    compact = np.frombuffer(text.translate(None, _SPACE), np.uint8)
    before = compact[np.flatnonzero(compact == _OPENING)[1:] - 1]
    after = compact[np.flatnonzero(compact == _CLOSING)[:-1] + 1]
    return bool(((before == _OPENING) | (before == _COMMA)).all() and ((after == _CLOSING) | (after == _COMMA)).all())
