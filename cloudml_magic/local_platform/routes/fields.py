"""What Vertex AI requires of the fields that all resources have: display names, labels, update masks."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.routes.pages import camel

_LABEL = re.compile(r"[\w-]{0,64}")
Violations = list[tuple[str, str]]


def check_display_name(body: Mapping[str, Any], where: str, found: Violations) -> None:
    name = body.get("displayName") or ""
    if not name:
        found.append((f"{where}.display_name", "Required field is not set."))
    if len(name) > 128:
        found.append((f"{where}.display_name", "The display name may have at most 128 characters."))


def check_labels(body: Mapping[str, Any], where: str, found: Violations) -> None:
    for key, value in (body.get("labels") or {}).items():
        for text in (key, value or ""):
            if not _LABEL.fullmatch(text) or text != text.lower() or not key:
                found.append((f"{where}.labels", f"Label {text[:80]!r} is not lowercase letters, digits, _ and -."))


def refuse(found: Violations) -> None:
    """Raises PlatformError if anything was found."""
    if found:
        listed = "\t ".join(
            f"{number}.Field: {field}; Message: {text}" for number, (field, text) in enumerate(found, 1)
        )
        raise PlatformError(400, f"List of found errors:\t{listed}\t", violations=found)


def masked_changes(body: Mapping[str, Any], mask: str, allowed: Collection[str]) -> dict[str, Any]:
    """The fields that an update mask names, with None for those that the body leaves out."""
    names = [camel(name.strip()) for name in mask.split(",") if name.strip()]
    if not names:
        raise _refused("update_mask", "Required field is not set.")
    for name in names:
        if name not in allowed:
            raise _refused("update_mask", f"{name[:80]!r} cannot be updated; what can is {', '.join(sorted(allowed))}.")
    return {name: body.get(name) for name in names}


def check_etag(sent: str | None, current: str) -> None:
    """Refuses a change that was made from an older state of the resource."""
    if sent and sent != current:
        raise PlatformError(409, "The resource was changed meanwhile: its etag is another one.", status="ABORTED")


def _refused(field: str, description: str) -> PlatformError:
    return PlatformError(400, f"{field}: {description}", violations=[(field, description)])
