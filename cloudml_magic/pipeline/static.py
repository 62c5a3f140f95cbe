"""From a saved notebook to the module that one of its cells would become: no kernel, nothing runs."""

from __future__ import annotations

from pathlib import Path

from cloudml_magic.pipeline.runtime import held_distributions, kernel_backend
from cloudml_magic.source import CaptureOptions, capture, read_notebook, render_module


def module_of_notebook(notebook: Path, cell: int | None = None) -> tuple[str, tuple[str, ...]]:
    """The module's text and the warnings, as if the cells up to this one had run in order."""
    cells, trained = read_notebook(notebook, cell)
    source = capture(
        cells,
        trained,
        namespace=None,
        folder=notebook.parent,
        options=CaptureOptions(runtime_holds=held_distributions(kernel_backend())),
    )
    text, _ = render_module(source, standalone=True)
    return text, source.warnings
