"""Reads the lines in which a job reports."""

from __future__ import annotations

import json
import time

from cloudml_magic.records import JobEvent

_LATEST_TIME = 1e11


def parse(text: str) -> JobEvent | None:
    """An event from its JSON text, or None: a job may write anything into its own file."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        return None
    moment = document.pop("time", None)
    # Also a whole number may be too large for any clock; NaN is in no range.
    known = isinstance(moment, int | float) and not isinstance(moment, bool) and 0 <= moment <= _LATEST_TIME
    return JobEvent(document.pop("kind"), float(moment) if known else time.time(), document)
