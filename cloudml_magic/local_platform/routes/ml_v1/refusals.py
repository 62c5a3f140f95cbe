"""What the older API requires of names, labels and required fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cloudml_magic.local_platform.errors import refused
from cloudml_magic.local_platform.routes.fields import Violations, check_labels

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_LONGEST_NAME = 128
NOT_SET = "Required field is not set."


def check_name(name: str, field: str) -> None:
    """Refuses a name that no job, model or version can have."""
    if not _NAME.fullmatch(name):
        raise refused(
            400, field, "A name should start with a letter and contain only letters, numbers and underscores."
        )
    if len(name) > _LONGEST_NAME:
        raise refused(400, field, f"A name may have at most {_LONGEST_NAME} characters.")


def check_ml_labels(body: Mapping[str, Any], where: str) -> None:
    """Refuses labels that are none."""
    found: Violations = []
    check_labels(body, where, found)
    if found:
        raise refused(400, *found[0])


def required(holder: Mapping[str, Any], field: str, where: str) -> None:
    """Refuses what leaves out a field that must be there; `field` as the schema writes it."""
    if not holder.get(field):
        raise refused(400, f"{where}.{snake(field)}", NOT_SET)


def snake(field: str) -> str:
    """`packageUris` as refusals write it."""
    return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", field)
