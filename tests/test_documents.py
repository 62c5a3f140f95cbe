"""Docs that cannot fall behind: every magic and every option has its place, every command is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from cloudml_magic import notebook
from cloudml_magic.settings import SETTINGS
from tests.shells import new_shell

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def shell() -> InteractiveShell:
    shell = new_shell()
    notebook.register(shell)
    return shell


def magics(shell: InteractiveShell) -> dict[str, object]:
    found = shell.magics_manager.magics
    return {name: magic for kind in ("line", "cell") for name, magic in found[kind].items() if name.startswith("ml_")}


def test_every_magic_has_a_page_and_a_row_in_the_readme(shell: InteractiveShell) -> None:
    """A magic that is not told of does not exist."""
    assert set(magics(shell)) == set(notebook._NAMES)
    for name in magics(shell):
        assert (ROOT / f"docs/magics/{name}.md").exists()
        assert f"docs/magics/{name}.md" in README


def test_every_option_is_on_its_magics_page(shell: InteractiveShell) -> None:
    """And the manual page that `%%ml_train?` shows has it with its meaning."""
    for name, magic in magics(shell).items():
        parser = getattr(magic, "parser", None)
        page = (ROOT / f"docs/magics/{name}.md").read_text("utf-8")
        for action in parser._actions if parser else []:
            for option in action.option_strings:
                # %ml_init has a row for each setting instead.
                setting = option.removeprefix("--").replace("-", "_")
                word = f"`{setting}`" if name == "ml_init" and setting in SETTINGS else option
                assert word in page, (name, option)
                assert action.help


def test_every_command_is_in_the_readme() -> None:
    """`cloudml` and what follows it."""
    for words in ("platform start|status|stop|logs|reset|env", "cloudml jobs", "cloudml doctor", "cloudml package"):
        assert words in README


def test_links_lead_somewhere() -> None:
    """Every relative link of every page exists."""
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), (page.name, target)


def test_loading_imports_no_heavy_library() -> None:
    """`%load_ext` is instant: no Google library, TensorFlow, Keras, NumPy, pandas or requests."""
    import subprocess
    import sys

    program = (
        "import sys\nfrom IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\nbefore = set(sys.modules)\n"
        "shell.run_line_magic('load_ext', 'cloudml_magic')\n"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy = {"google", "googleapiclient", "tensorflow", "keras", "numpy", "pandas", "requests", "httplib2", "uvicorn"}
    assert not heavy & set(answer.stdout.split())
