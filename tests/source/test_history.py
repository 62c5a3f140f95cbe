"""What has run in a kernel, read from a real IPython shell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.history import CellRecorder, ExecutedCell, executed_cells, latest_selves


@pytest.fixture
def shell(home: Path) -> Iterator[Any]:
    """A shell of its own, its history in memory."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    yield shell
    InteractiveShell.clear_instance()


def ran(shell: Any, recorder: CellRecorder | None = None) -> list[tuple[str, int | None, str | None, bool]]:
    return [(cell.text, cell.number, cell.id, cell.raised) for cell in executed_cells(shell, recorder)]


def test_cells_from_before_the_extension_are_known(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """IPython's own history tells what ran before `%load_ext`, and what of it raised."""
    shell.run_cell("x = 1", store_history=True)
    shell.run_cell("1 / 0", store_history=True)
    shell.run_cell("!true\ny = %time 2", store_history=True)
    assert ran(shell) == [("x = 1", 1, None, False), ("1 / 0", 2, None, True), ("!true\ny = %time 2", 3, None, False)]


def test_the_recorder_knows_ids_and_failures(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """From its registration on, each execution has its cell's id and outcome."""
    shell.run_cell("x = 1", store_history=True)
    recorder = CellRecorder()
    shell.events.register("post_run_cell", recorder.post_run_cell)
    shell.run_cell("y = 2", store_history=True, cell_id="one")
    shell.run_cell("oops", store_history=True, cell_id="two")
    shell.run_cell("x = = 1", store_history=True, cell_id="three")
    assert ran(shell, recorder) == [
        ("x = 1", 1, None, False), ("y = 2", 2, "one", False), ("oops", 3, "two", True), ("x = = 1", 4, "three", True),
    ]  # fmt: skip


def test_silent_and_unrecorded_executions_are_not_cells(shell: Any) -> None:
    """Front ends run code of their own; it is not the user's."""
    recorder = CellRecorder()
    shell.events.register("post_run_cell", recorder.post_run_cell)
    shell.run_cell("a = 1", store_history=True, cell_id="one")
    shell.run_cell("b = 2", store_history=False)
    shell.run_cell("c = 3", silent=True, store_history=True)
    shell.run_cell("   \n", store_history=True)
    shell.run_cell("d = 4", store_history=True, cell_id="two")
    assert ran(shell, recorder) == [("a = 1", 1, "one", False), ("d = 4", 2, "two", False)]


def test_the_running_cell_is_not_among_them(shell: Any) -> None:
    """A magic that asks sees the cells before its own."""
    recorder = CellRecorder()
    shell.events.register("post_run_cell", recorder.post_run_cell)
    seen: list[Any] = []
    shell.user_ns["ask"] = lambda: seen.append((ran(shell, recorder), ran(shell)))
    shell.run_cell("a = 1", store_history=True)
    shell.run_cell("ask()", store_history=True)
    shell.run_cell("ask()", store_history=True)
    first = [("a = 1", 1, None, False)]
    assert seen == [(first, first), ([*first, ("ask()", 2, None, False)],) * 2]


def test_a_reset_starts_anew(shell: Any) -> None:
    """A new session empties the namespace and the count; older cells are gone."""
    recorder = CellRecorder()
    shell.events.register("post_run_cell", recorder.post_run_cell)
    shell.run_cell("a = 1", store_history=True, cell_id="one")
    shell.run_cell("b = 1", store_history=True, cell_id="two")
    shell.reset(new_session=True)
    shell.run_cell("c = 1", store_history=True, cell_id="one")
    assert ran(shell, recorder) == [("c = 1", 1, "one", False)]


def test_numbers_stay_right_after_a_cell_that_history_forgets(shell: Any) -> None:
    """IPython counts `exit` and keeps no text of it."""
    shell.run_cell("a = 1", store_history=True)
    shell.ask_exit = lambda: None
    shell.run_cell("exit()", store_history=True)
    shell.run_cell("b = 2", store_history=True)
    assert ran(shell)[-1][:2] == ("b = 2", shell.execution_count - 1)


def test_an_edited_cell_replaces_its_older_self() -> None:
    """It stands at its latest run; one that raised leaves the older self in place."""
    cells = [
        ExecutedCell("x = 1", 1, "one"), ExecutedCell("y = 1", 2, "two"), ExecutedCell("x = 2", 3, "one"),
        ExecutedCell("y = oops", 4, "two", raised=True), ExecutedCell("z", 5), ExecutedCell("z", 6),
    ]  # fmt: skip
    assert [(cell.text, cell.number) for cell in latest_selves(cells)] == [
        ("y = 1", 2),
        ("x = 2", 3),
        ("z", 5),
        ("z", 6),
    ]
