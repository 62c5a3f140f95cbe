"""Changes of the older API's resources: what an update mask names, also fields within fields."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from typing import Any

from cloudml_magic.local_platform.errors import refused
from cloudml_magic.local_platform.routes.ml_v1.refusals import NOT_SET
from cloudml_magic.local_platform.routes.pages import camel


def changed(before: Mapping[str, Any], sent: Mapping[str, Any], mask: str, allowed: Collection[str]) -> dict[str, Any]:
    """The resource with the named fields as they were sent; one that was not sent is taken away."""
    after = copy.deepcopy(dict(before))
    for name in named_fields(mask, allowed):
        target, source = after, without_nulls(sent)
        *holders, field = name.split(".")
        for holder in holders:
            target, source = target.setdefault(holder, {}), source.get(holder, {})
        target.pop(field, None)
        if field in source:
            target[field] = source[field]
    return after


def named_fields(mask: str, allowed: Collection[str]) -> list[str]:
    """The fields of an update mask; refuses one that names nothing, or what cannot be changed."""
    names = [camel(name.strip()) for name in mask.split(",") if name.strip()]
    if not names:
        raise refused(400, "update_mask", NOT_SET)
    for name in names:
        if name not in allowed:
            known = ", ".join(sorted(allowed))
            raise refused(400, "update_mask", f"{name[:80]!r} cannot be updated; what can is {known}.")
    return names


def without_nulls(value: Any) -> Any:
    """The same without what is null, which stands for unset."""
    if isinstance(value, Mapping):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [without_nulls(each) for each in value if each is not None] if isinstance(value, list) else value
