"""Lists as Google's APIs give them: filtered, ordered, in pages."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Callable, Collection, Sequence
from operator import attrgetter
from typing import Any, TypeVar

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.filters import Subject, compiled
from cloudml_magic.local_platform.routes.call import Call
from cloudml_magic.local_platform.wire import Response, json_response

LARGEST_PAGE = 100
Row = TypeVar("Row")


def page(
    call: Call,
    key: str,
    rows: Sequence[Row],
    *,
    body: Callable[[Row], dict[str, Any]],
    fields: Collection[str],
    sequence: Callable[[Row], int] = attrgetter("sequence"),
    default_size: int = LARGEST_PAGE,
) -> Response:
    """One page of rows, which come latest first; `fields` are those by which they may be filtered and ordered."""
    holds = compiled(call.query.get("filter", ""))
    size = min(call.query.get("pageSize") or default_size, LARGEST_PAGE)
    if size < 0:
        raise PlatformError(400, "page_size must not be negative.")
    token = read_token(call.query.get("pageToken", ""))
    order = call.query.get("orderBy", "").strip()
    # In their own order rows are read only as far as the page goes.
    rest = rows if order else (row for row in rows if not token or sequence(row) < token)
    matching = ((sequence(row), item) for row in rest if holds(subject(item := body(row), fields)))
    if order:
        found = _ordered([item for _, item in matching], order)
        left = list(enumerate(found, 1))[max(token, 0) : max(token, 0) + size + 1]
    else:
        left = list(itertools.islice(matching, size + 1))
    answer: dict[str, Any] = {key: [item for _, item in left[:size]]} if left[:size] else {}
    if len(left) > size:
        answer["nextPageToken"] = write_token(left[size - 1][0])
    return json_response(answer)


def subject(body: dict[str, Any], fields: Collection[str]) -> Subject:
    """The fields of a resource by the names that filters use."""

    def value(field: str) -> Any:
        if field.startswith("labels."):
            return body.get("labels", {}).get(field.removeprefix("labels."))
        name = camel(field)
        if name not in fields:
            raise PlatformError(400, f"Invalid filter: these cannot be filtered by {field[:60]!r}.")
        if name in ("model", "endpoint"):
            return str(body["name"]).rpartition("/")[2]
        return body.get(name)

    return value


def camel(field: str) -> str:
    """`display_name` as the schemas write it."""
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), field)


def write_token(number: int) -> str:
    return base64.urlsafe_b64encode(str(number).encode()).decode()


def read_token(token: str) -> int:
    """Where a page begins; 0 for the first."""
    try:
        return int(base64.urlsafe_b64decode(token)[:20]) if token else 0
    except ValueError:
        raise PlatformError(400, "Invalid page token.") from None


def _ordered(found: list[dict[str, Any]], order: str) -> list[dict[str, Any]]:
    for clause in reversed(order.split(",")):
        words = clause.split()
        name = camel(words[0]) if words else ""
        if name not in ("displayName", "createTime", "updateTime") or words[1:] not in ([], ["asc"], ["desc"]):
            raise PlatformError(400, f"Invalid order_by: {clause[:60]!r}.")
        found = sorted(found, key=lambda item: str(item.get(name, "")), reverse=words[1:] == ["desc"])
    return found
