"""The lines and cells of `%ml_predict`: slips are answered before any model is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from cloudml_magic import notebook
from cloudml_magic.errors import CloudMLError
from tests.shells import new_shell


@pytest.fixture
def shell(home: Path) -> Iterator[InteractiveShell]:
    shell = new_shell()
    notebook.register(shell)
    yield shell
    notebook.unregister(shell)


def refusal(shell: InteractiveShell, line: str, cell: str | None = None) -> str:
    with pytest.raises(CloudMLError) as caught:
        if cell is None:
            shell.find_line_magic("ml_predict")(line)
        else:
            shell.find_cell_magic("ml_predict")(line, cell)
    return str(caught.value)


@pytest.mark.parametrize(
    ("line", "cell", "text"),
    [
        (
            "",
            None,
            "No model is named.\n"
            "  Next: Name one: `%ml_predict MODEL cat.jpg`; `%ml_models` lists what is deployed.\n"
            "[no-model-named]",
        ),
        (
            "digits --into class",
            "1",
            "--into 'class' is no variable.\n  Next: Give a Python name.\n[bad-option]",
        ),
        (
            "flowers my cat.jpg",
            None,
            "There is no file 'my'.\n"
            "  Next: Give files relative to the notebook, or gs:// addresses, in quotes where they hold spaces;"
            " * and ? stand for other characters.\n"
            "[no-such-file]",
        ),
        (
            "census",
            '[{"age": 1, "age": 2}]',
            "The cell gives `age` twice.\n  Next: Leave one of its values out.\n[named-twice]",
        ),
    ],
)
def test_a_slip_is_answered_in_one_sentence(shell: InteractiveShell, line: str, cell: str | None, text: str) -> None:
    """Before any platform is started."""
    assert refusal(shell, line, cell) == text
