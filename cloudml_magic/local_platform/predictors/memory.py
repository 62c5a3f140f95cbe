"""How much memory a serving process may hold."""

from __future__ import annotations

import os
from pathlib import Path

from cloudml_magic.local_platform.settings import PlatformSettings

_MEGABYTE = 1024 * 1024
_LEAST_MEGABYTES = 1024
_CGROUP = Path("/sys/fs/cgroup/memory.max")


def memory_limit(settings: PlatformSettings) -> int:
    """The limit in bytes: what is set, else half of this machine's memory."""
    if settings.predictor_memory_mb is not None:
        return settings.predictor_memory_mb * _MEGABYTE
    return max(_LEAST_MEGABYTES * _MEGABYTE, _machine_bytes() // 2)


def megabytes(size: int) -> str:
    return f"{size // _MEGABYTE} MB"


def _machine_bytes() -> int:
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(whole, int(_CGROUP.read_text("ascii")))
    except (OSError, ValueError):
        return whole
