"""Cells → CapturedSource: what a trained cell needs, taken from the cells that ran, the kernel and the folder.

`capture` is the whole street; `read_notebook` stands at its beginning, `render_module` at its end.
"""

from __future__ import annotations

from cloudml_magic.source.capture import CaptureOptions, capture
from cloudml_magic.source.module import render_module
from cloudml_magic.source.notebook_file import read_notebook
from cloudml_magic.source.preprocessing import AppliedPreprocessing, applied_preprocessing, own_layers
from cloudml_magic.source.requirements import runtime_distributions, split_requirements
from cloudml_magic.source.rules.refusal import RefusedError
from cloudml_magic.source.secrets import masked
from cloudml_magic.source.statements import statement_texts

__all__ = [
    "AppliedPreprocessing",
    "CaptureOptions",
    "RefusedError",
    "applied_preprocessing",
    "capture",
    "masked",
    "own_layers",
    "read_notebook",
    "render_module",
    "runtime_distributions",
    "split_requirements",
    "statement_texts",
]
