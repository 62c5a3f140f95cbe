"""The warm spare itself: imports Keras, waits for a job, becomes its process."""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import sys
import traceback
from types import ModuleType
from typing import Any


def main() -> None:
    """Imports, says that it is ready, waits, confirms and runs."""
    confirm = int(os.environ.pop("CLOUDML_SPARE"))
    os.set_inheritable(confirm, False)
    import keras  # noqa: F401

    gc.collect()
    # What was imported stays: the collector need not look through it again and again.
    gc.freeze()
    os.write(confirm, b"r")
    line = sys.stdin.readline()
    if not line:
        os._exit(0)
    job: dict[str, Any] = json.loads(line)
    os.environ.clear()
    os.environ.update(job["environment"])
    os.chdir(job["folder"])
    sys.path[:1] = ["", *job["paths"]]
    importlib.invalidate_caches()
    os.write(confirm, b"c")
    os.close(confirm)
    _run(job["command"][1:])


def _run(arguments: list[str]) -> None:
    kind, what, *rest = arguments
    module = ModuleType("__main__")
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = module
    try:
        if kind == "-c":
            sys.argv = ["-c", *rest]
            exec(compile(what, "<string>", "exec", dont_inherit=True), module.__dict__)
        else:
            sys.argv = [what, *rest]
            runpy.run_module(what, run_name="__main__", alter_sys=True)
    except SystemExit:
        raise
    except BaseException as problem:
        # As the interpreter itself would show it: without the frames of this file.
        found = problem.__traceback__
        while found is not None and found.tb_frame.f_code.co_filename == __file__:
            found = found.tb_next
        traceback.print_exception(type(problem), problem, found)
        sys.exit(130 if isinstance(problem, KeyboardInterrupt) else 1)


if __name__ == "__main__":
    main()
