"""Requests and responses of the platform, free of any server."""

from __future__ import annotations

import io
import json
import math
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, BinaryIO
from urllib.parse import parse_qsl

from cloudml_magic.local_platform.errors import PlatformError

MAXIMAL_JSON = 10 * 1024 * 1024
MAXIMAL_DEPTH = 64
CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request: its path undecoded, its header names in lower case, its body a file at its beginning."""

    verb: str
    path: str
    query_text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: BinaryIO = field(default_factory=io.BytesIO)
    length: int = 0

    @property
    def query(self) -> list[tuple[str, str]]:
        try:
            return list(_read_query(self.query_text))
        except ValueError:
            raise PlatformError(400, "The query of the URL is not readable as UTF-8.") from None

    def header(self, name: str, default: str = "") -> str:
        return self.headers.get(name, default)

    def json(self) -> Any:
        """The body as JSON; None if there is none."""
        if self.length > MAXIMAL_JSON:
            raise PlatformError(400, f"Request payload size exceeds the limit: {MAXIMAL_JSON} bytes.")
        return read_json(self.body.read(MAXIMAL_JSON + 1))


@dataclass(frozen=True, slots=True)
class FileRange:
    """A part of an open file, which whoever sends it closes."""

    file: BinaryIO
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response, its body in memory, in a file, or a stream that goes on."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    file: FileRange | None = None
    stream: AsyncIterator[bytes] | None = None

    def json(self) -> Any:
        """The body as JSON, for those who use the platform as a library."""
        return json.loads(self.content())

    def content(self) -> bytes:
        """The whole body of a response that is not a stream."""
        if self.file is None:
            return self.body
        with self.file.file as file:
            file.seek(self.file.offset)
            return file.read(self.file.length)


@lru_cache(maxsize=256)
def _read_query(text: str) -> tuple[tuple[str, str], ...]:
    """The files of a folder are sent with one and the same query."""
    return tuple(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=1000))


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response whose body is JSON in UTF-8."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(
        status,
        {"content-type": "application/json; charset=UTF-8", **(headers or {})},
        text.encode("utf-8", "replace"),
    )


def read_json(content: bytes) -> Any:
    """Strict JSON: UTF-8, finite numbers, no deeper than anybody writes by hand."""
    if not content.strip():
        return None
    try:
        value = json.loads(content.decode("utf-8"), parse_constant=_not_finite, parse_float=_finite)
    except (ValueError, RecursionError) as problem:
        reason = "nested too deeply" if isinstance(problem, RecursionError) else str(problem)[:200]
        raise PlatformError(400, f"Invalid JSON payload received. {reason}") from None
    _check(value)
    return value


def _not_finite(text: str) -> float:
    raise ValueError(f"{text} is not a finite number.")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _not_finite(text)


def check_depth(value: Any) -> None:
    """Raises PlatformError for what is nested deeper than anybody writes by hand."""
    for level, _ in enumerate(_levels(value)):
        if level >= MAXIMAL_DEPTH:
            raise PlatformError(400, f"Invalid JSON payload received. Nested more than {MAXIMAL_DEPTH} deep.")


def _check(value: Any) -> None:
    check_depth(value)
    for level in _levels(value):
        for item in level:
            if isinstance(item, str) and not item.isascii() and not _is_unicode(item):
                raise PlatformError(400, "Invalid JSON payload received. A string holds half of a surrogate pair.")


def _levels(value: Any) -> Iterator[list[Any]]:
    level = [value]
    while level:
        yield level
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                deeper.extend(item.keys())
                deeper.extend(item.values())
            elif isinstance(item, list):
                deeper.extend(item)
        level = deeper


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
