"""Reads a JSON object that a job wrote; what a job says is a claim, and may be broken, huge or meant to do harm."""

from __future__ import annotations

import json
import math
from typing import Any

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.wire import check_depth


def read_claim(line: bytes | str) -> dict[str, Any] | None:
    """The object in a line, finite, no deeper than requests may be, and free of half surrogate pairs; else None."""
    try:
        text = line.decode("utf-8") if isinstance(line, bytes) else line
        value = _loaded(text)
        if not isinstance(value, dict):
            return None
        check_depth(value)
        if "\\ud" in text.lower():
            value = _loaded(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode())
    except (ValueError, RecursionError, PlatformError):
        return None
    return value if isinstance(value, dict) else None


def _loaded(text: str) -> Any:
    return json.loads(text, parse_constant=lambda name: name, parse_float=_finite)


def _finite(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else str(number)
