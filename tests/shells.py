"""Shells of IPython for tests."""

from __future__ import annotations

from typing import Any


def new_shell() -> Any:
    """A shell without a history file: it would write there at its end, when the folder of its test may be gone."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    return InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
