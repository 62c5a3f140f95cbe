"""Runs first in every Python process of a job: maps bucket addresses to folders and keeps lines whole.

It stands before any `sitecustomize` of this environment, which it runs afterwards.
"""

import importlib.machinery
import importlib.util
import io
import os
import sys


def _run_the_next() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    others = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def _keep_lines_whole() -> None:
    # Into a pipe Python writes only when eight kilobytes are together; a log should show each line at once.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)


_root = os.environ.get("CLOUDML_BUCKETS")
if _root:
    import cloudml_paths  # type: ignore[import-not-found]

    cloudml_paths.install(_root)
_keep_lines_whole()
_run_the_next()
