"""How often and how strictly the reliability goals are tried: a part in `make test`, all of it in `make soak`."""

from __future__ import annotations

import os

import pytest

IS_SOAK = bool(os.environ.get("CLOUDML_SOAK"))
only_in_soak = pytest.mark.skipif(not IS_SOAK, reason="a long count: make soak")


def count(full: int, part: int) -> int:
    """The goal's own count, or a part of it that a test run has time for."""
    return full if IS_SOAK else part


def within(seconds: float) -> float:
    """A time that is promised; in a test run, which shares the machine with other work, four times as long."""
    return seconds if IS_SOAK else 4 * seconds
