"""What has run in this kernel, in order, from IPython's history and from a recorder of cell ids and failures.

IPython's history knows the text of every cell, also of those that ran before the extension was loaded, but no cell
ids, and before IPython 9 no failures. The recorder knows both from the moment it is registered.
"""

from __future__ import annotations

import sys
from typing import Any

from cloudml_magic.history.executed_cell import ExecutedCell


class CellRecorder:
    """An IPython `post_run_cell` callback that remembers ids and failures.

    Register: `shell.events.register("post_run_cell", recorder.post_run_cell)`.
    """

    def __init__(self) -> None:
        self._records: dict[int, ExecutedCell] = {}
        self._last = 0

    def post_run_cell(self, result: Any) -> None:
        """Silent executions and those outside the history are not the user's cells."""
        information = getattr(result, "info", None)
        number = getattr(result, "execution_count", None)
        if information is None or not isinstance(number, int):
            return
        if not information.store_history or information.silent:
            return
        if number <= self._last:  # a new session starts the count anew, with an empty namespace
            self._records.clear()
        self._last = number
        self._records[number] = ExecutedCell(
            text=str(information.raw_cell),
            number=number,
            id=getattr(information, "cell_id", None) or None,
            raised=not result.success,
        )

    def record_of(self, number: int) -> ExecutedCell | None:
        """What is known of an execution, if it was seen."""
        return self._records.get(number)


def executed_cells(shell: Any, recorder: CellRecorder | None = None) -> list[ExecutedCell]:
    """Every cell that has run to its end in this kernel, oldest first; the one that runs now is not among them."""
    history = getattr(shell, "history_manager", None)
    if history is None:
        return []
    running = _running(shell)
    failed = _failed_numbers(shell, history)
    cells = []
    for number, text in _numbered(shell, list(history.input_hist_raw)):
        if number == running or not text.strip():
            continue
        record = recorder.record_of(number) if recorder is not None else None
        if record is not None and record.text.rstrip("\n") == text.rstrip("\n"):
            cells.append(record)
        else:
            cells.append(ExecutedCell(text, number, None, number in failed))
    return cells


def running_cell_id(shell: Any) -> str | None:
    """The id of the cell that runs now, where the front end sends one."""
    result = getattr(shell.displayhook, "exec_result", None)
    known = getattr(getattr(result, "info", None), "cell_id", None)
    if known:
        return str(known)
    parent = getattr(shell, "parent_header", None)  # ipykernel
    metadata = parent.get("metadata") if isinstance(parent, dict) else None
    identifier = metadata.get("cellId") if isinstance(metadata, dict) else None
    return str(identifier) if identifier else None


def _running(shell: Any) -> int | None:
    result = getattr(shell.displayhook, "exec_result", None)
    if result is None or not getattr(getattr(result, "info", None), "store_history", False):
        return None
    number = getattr(result, "execution_count", None)
    return number if isinstance(number, int) else None


def _numbered(shell: Any, texts: list[str]) -> list[tuple[int, str]]:
    """Each text with its execution number.

    The list's index is the number, but for `exit` and pasted cells, which count and are not kept; then the
    namespace's `_i7` tell.
    """
    typed = shell.user_ns
    numbered = []
    number = 0
    latest = max(int(shell.execution_count), len(texts))
    for text in texts[1:]:
        number += 1
        if typed.get(f"_i{number}") != text:
            later = (n for n in range(number + 1, latest + 1) if typed.get(f"_i{n}") == text)
            number = next(later, number)
        numbered.append((number, text))
    return numbered


def _failed_numbers(shell: Any, history: Any) -> set[int]:
    failed = set(getattr(history, "exceptions", None) or ())  # IPython 9
    raised = getattr(sys, "last_value", None)
    traceback = getattr(raised, "__traceback__", None)
    numbers = getattr(getattr(shell, "compile", None), "_filename_map", {})
    while traceback is not None:
        number = numbers.get(traceback.tb_frame.f_code.co_filename)
        if number is not None:
            failed.add(number)
            break
        traceback = traceback.tb_next
    return failed
