"""The cell that runs now and the notebook it stands in, as far as the front end tells."""

from __future__ import annotations

import os
from typing import Any

from cloudml_magic.history import ExecutedCell, running_cell_id


def this_cell(shell: Any, line: str, body: str, magic: str = "ml_train") -> ExecutedCell:
    """The cell as typed: its magic line is line 1."""
    result = getattr(shell.displayhook, "exec_result", None)
    information = getattr(result, "info", None)
    # IPython 9 counts on before the cell runs, IPython 8 afterwards; the result knows the cell's own number.
    number = getattr(result, "execution_count", None) or shell.execution_count
    typed = str(getattr(information, "raw_cell", "") or "")
    # Called from within another cell (a loop, a test), there is no text of its own to show.
    text = typed if typed.rstrip("\n").endswith(body.rstrip("\n")) else f"%%{magic} {line}\n{body}"
    return ExecutedCell(text, number, running_cell_id(shell))


def notebook_path(shell: Any) -> str | None:
    """The notebook's file, where the server or the editor names it."""
    return os.environ.get("JPY_SESSION_NAME") or shell.user_ns.get("__vsc_ipynb_file__")
