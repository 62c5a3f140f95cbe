"""The HOME of a user for a while: what else runs in this process has its own back afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloudml_magic.local_platform import lifecycle


@contextmanager
def home_of(folder: Path, **variables: str) -> Iterator[None]:
    """Within the block this process, and what it starts, belongs to that user."""
    given = {"HOME": str(folder), **variables}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def end_platform(folder: Path) -> None:
    """Stops the platform of that user, if one runs."""
    with home_of(folder):
        lifecycle.stop()
