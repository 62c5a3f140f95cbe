"""`cloudml package`: the module that a cell of a saved notebook would become, without running anything."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def declare(commands: Any) -> None:
    """Declares the command."""
    parser = commands.add_parser("package", help="the module that a cell of a saved notebook would become")
    parser.add_argument("notebook", type=Path, metavar="NOTEBOOK.ipynb")
    parser.add_argument("--cell", type=int, metavar="N", help="code cell N, counted from 1 (the last one)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write it there instead of to standard output")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from cloudml_magic import pipeline
    from cloudml_magic.errors import CloudMLError

    text, warnings = pipeline.module_of_notebook(options.notebook, options.cell)
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if options.out is None:
        sys.stdout.write(text)
        return 0
    try:
        options.out.write_text(text, "utf-8", newline="\n")
    except OSError as problem:
        raise CloudMLError(
            "unwritable-file",
            f"{options.out} cannot be written.",
            why=str(problem),
            next="Choose another file with --out.",
        ) from problem
    return 0
