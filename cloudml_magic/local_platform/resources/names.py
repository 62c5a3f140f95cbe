"""Ids as Google's servers give them, and the names of resources, in which this platform's project has its number."""

from __future__ import annotations

import re
import secrets
import time

from cloudml_magic.local_platform.settings import PROJECT, PROJECT_NUMBER

_MODEL = re.compile(r"projects/[^/]+/locations/(?P<location>[^/]+)/models/(?P<id>[^/@]+)(?:@(?P<version>[^/@]+))?")


def new_id() -> str:
    """Nineteen digits, as Google's ids have."""
    return f"{int(time.time() * 1e6)}{secrets.randbelow(1000):03}"


def resource_name(location: str, *parts: str) -> str:
    """The full name of what lies under a location, or, without one, of what the older API has in its project."""
    if not location:
        return "/".join(("projects", PROJECT, *parts))
    return "/".join(("projects", PROJECT_NUMBER, "locations", location, *parts))


def read_model_name(name: str) -> tuple[str, str, str | None] | None:
    """Location, id, and the version or alias of a model's name; None if it is none."""
    found = _MODEL.fullmatch(name)
    return None if found is None else (found["location"], found["id"], found["version"])
