"""Captures lists of cells for the tests of this folder, the last one being trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cloudml_magic.history import ExecutedCell
from cloudml_magic.records import CapturedSource
from cloudml_magic.source import CaptureOptions, capture, render_module

HOLDS = frozenset({"tensorflow", "tensorflow-cpu", "keras", "numpy", "h5py"})
NOWHERE = Path("/nonexistent")


def captured(
    cells: Sequence[str], namespace: Mapping[str, object] | None = None, folder: Path = NOWHERE, **options: Any
) -> CapturedSource:
    """The last cell captured with the ones before it; statically without a namespace."""
    executed = [ExecutedCell(text, number) for number, text in enumerate(cells, 1)]
    options.setdefault("runtime_holds", HOLDS)
    return capture(executed[:-1], executed[-1], namespace=namespace, folder=folder, options=CaptureOptions(**options))


def texts(source: CapturedSource) -> list[str]:
    """The statements that travel."""
    return [statement.text for statement in source.statements]


def module_of(cells: Sequence[str], namespace: Mapping[str, object] | None = None, **options: Any) -> str:
    """The module's text."""
    return render_module(captured(cells, namespace, **options))[0]
