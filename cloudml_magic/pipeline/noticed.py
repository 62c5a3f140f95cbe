"""What the cells of a notebook show of how its pictures are prepared, for a model that the kernel itself trained."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from cloudml_magic.history import executed_cells
from cloudml_magic.pipeline.session import current_shell
from cloudml_magic.source import applied_preprocessing, statement_texts
from cloudml_magic.trainer.export.picture import picture_of


def noticed_preprocessing(model: Any, picture: bool | None, resize: str) -> str | None:
    """The one of Keras's own functions that the notebook applies, told as a warning; None for no picture model."""
    if picture_of(model, picture, resize) is None:
        return None
    shell = current_shell()
    cells = executed_cells(shell, getattr(shell, "cloudml_recorder", None)) if shell is not None else []
    name, message = _told(statement_texts(cells))
    if message:
        warnings.warn(message, stacklevel=4)
    return name


def _told(texts: Iterable[str]) -> tuple[str | None, str]:
    found = applied_preprocessing(texts)
    if len(found.before) == 1 and not found.inside:
        return found.before[0], (
            f"Pictures are preprocessed by {found.before[0]}, which the notebook applies; --preprocess says otherwise."
        )
    if found.before:
        every = ", ".join(sorted({*found.before, *found.inside}))
        return None, f"The notebook applies {every}; say with --preprocess which of them this model wants, if any."
    if found.scaling and not found.inside:
        return None, (
            "The notebook divides by 255 or 127.5. If that prepares its pictures, export the model with --preprocess"
            f" {found.scaling}; else with --preprocess 1."
        )
    return None, ""
