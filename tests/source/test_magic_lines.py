"""IPython syntax in cells: what becomes of it, line for line."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cloudml_magic.errors import CloudMLError
from cloudml_magic.source import render_module
from cloudml_magic.source.statements import cell_statements

from .capturing import captured, texts

# cell → (line, statement) pairs
KEPT = {
    "plain": ("x = 1", [(1, "x = 1")]),
    "text that looks like magic": ("x = '''\n%foo\n!ls\n%%bash\n'''\ny = 1", [(1, "x = '''\n%foo\n!ls\n%%bash\n'''"), (6, "y = 1")]),
    "a remainder at a line's start": ("x = (7\n% 2)", [(1, "x = (7\n% 2)")]),
    "semicolons": ("a = 1; b = 2", [(1, "a = 1"), (1, "b = 2")]),
    "a continued line": ("a = 1 + \\\n    2\nb = 1", [(1, "a = 1 + \\\n    2"), (3, "b = 1")]),
    "windows line ends": ("a = 1\r\nif a:\r\n    b = 2\r\n", [(1, "a = 1"), (2, "if a:\n    b = 2")]),
    "old line ends": ("a = 1\rb = 2", [(1, "a = 1"), (2, "b = 2")]),
    "leading blank lines": ("\n\n  \nx = 1", [(4, "x = 1")]),
    "leading blank lines and a magic": ("\n\n%matplotlib inline\nx = 1", [(4, "x = 1")]),
    "an indented cell": ("  x = 1\n  y = 2", [(1, "x = 1"), (2, "y = 2")]),
    "emoji": ("é = '🎉'; b = '日本'", [(1, "é = '🎉'"), (1, "b = '日本'")]),
    "tabs": ("if 1:\n\tx = '\t'", [(1, "if 1:\n\tx = '\t'")]),
    "a form feed": ("x = 1\n\x0cy = 2", [(1, "x = 1"), (2, "y = 2")]),
    "line separators within a string": ("x = '\u2028\x1c\x85'\ny = 1", [(1, "x = '\u2028\x1c\x85'"), (2, "y = 1")]),
    "line separators and a magic": ("%pylab\nx = '\u2028'\ny = 1", [(2, "x = '\u2028'"), (3, "y = 1")]),
    "a byte order mark": ("\ufeffx = 1", [(1, "x = 1")]),
    "decorators": ("@a\n@b(1)\ndef f():\n    pass", [(1, "@a\n@b(1)\ndef f():\n    pass")]),
    "comments within": ("x = [\n    1,  # one\n]  # end", [(1, "x = [\n    1,  # one\n]")]),
    "doctest prompts": (">>> x = 1\n>>> y = 2", [(1, "x = 1"), (2, "y = 2")]),
    "display magics": ("%matplotlib inline\n%load_ext tensorboard\n%config X.y = 1\nx = 1\nx?\n?x\nx??", [(4, "x = 1")]),
    "our own magics": ("%ml_init\nx = 1\n%ml_jobs", [(2, "x = 1")]),
    "our cell mark": ("%%ml_code\nx = 1", [(2, "x = 1")]),
    "a trained cell": ("%%ml_train a --gpu T4\nx = 1", [(2, "x = 1")]),
    "a timed cell": ("%%time\nx = 1\n!ls\ny = 2", [(2, "x = 1"), (4, "y = 2")]),
    "a timed cell with set-up": ("%%timeit -n 10 -r 3 y = 1\nx = y", [(1, "y = 1"), (2, "x = y")]),
    "a captured cell": ("%%capture out\n!pip install a\nx = 1", [(3, "x = 1")]),
    "timed lines": ("%time x = f(1)\n%timeit -n 3 -r2 g(x)\ny = %time 3", [(1, "x = f(1)"), (2, "g(x)"), (3, "y = 3")]),
    "a shell line within a block": ("if 1:\n    !ls\n    x = 1", [(1, "if 1:\n    pass\n    x = 1")]),
    "a long shell line": ("!a \\\n  b \\\n  c\nx = 1", [(4, "x = 1")]),
    "env": ("%env A=b c\n%set_env D e\nx = 1", [
        (1, "import os"), (1, "os.environ['A'] = 'b c'"), (2, "import os"), (2, "os.environ['D'] = 'e'"), (3, "x = 1")]),
    "env with values of the notebook": ("%env A={x}\n%env B=$y", [
        (1, "import os"), (1, "os.environ['A'] = f'{x}'"), (2, "import os"), (2, "os.environ['B'] = f'{y}'")]),
    "env that only shows": ("%env\n%env PATH\nx = 1", [(3, "x = 1")]),
    "another language": ("%%bash\nls", []),
    "nothing": ("", []),
    "blanks and a comment": ("  \n# a\n", []),
}  # fmt: skip


@pytest.mark.parametrize(("cell", "wanted"), KEPT.values(), ids=KEPT)
def test_statements_keep_their_text_and_their_line(cell: str, wanted: list[tuple[int, str]]) -> None:
    """What is Python stays as it was typed, on the line where the editor shows it."""
    assert [(one.line, one.text) for one in cell_statements(cell).statements] == wanted


INSTALLS = {
    "!pip install a": ("a",), "%pip install -q 'a>=1' b": ("a>=1", "b"), "!pip3 install --upgrade a[x]==2": ("a[x]==2",),
    "!{sys.executable} -m pip install a": ("a",), "!python -m pip install -U a": ("a",), "!uv pip install a": ("a",),
    "!pip install -r requirements.txt": (), "!pip install -i https://index a": ("a",), "!pip install a > /dev/null 2>&1": ("a",),
    "!pip install a && ls": ("a",), "!pip install -e .": (), "!pip install git+https://host/a.git": (), "!pip list": (),
    "if 1:\n    !pip install a": ("a",), "!pip install 'a": (), "%conda install -y a": ("a",), "!echo pip install a": (),
}  # fmt: skip


@pytest.mark.parametrize(("cell", "wanted"), INSTALLS.items(), ids=INSTALLS)
def test_pip_lines_become_requirements(cell: str, wanted: tuple[str, ...]) -> None:
    """What a line installs from the index is required; the line itself is gone."""
    assert cell_statements(cell).requirements == wanted


def test_other_magics_are_left_out_and_listed() -> None:
    """Shell lines, unknown magics and other languages stay home, and the user is told."""
    source = captured(["!ls -la\n%cd /\n%%nope", "%%bash\necho", "x = 1\n!nvidia-smi\nprint(x)"])
    assert [(left.what, left.cell and left.cell.label, left.line) for left in source.left_out] == [
        ("!ls", "In [1]", 1), ("%cd", "In [1]", 2), ("%%nope", "In [1]", 3), ("%%bash", "In [2]", 1), ("!nvidia-smi", "In [3]", 2),
    ]  # fmt: skip
    assert texts(source) == ["x = 1", "print(x)"]


def test_a_shell_value_is_refused_only_where_it_is_needed() -> None:
    """`files = !ls` is no obstacle until the trained cell uses `files`."""
    assert texts(captured(["files = !ls\nx = 1", "print(x)"])) == ["x = 1", "print(x)"]
    with pytest.raises(CloudMLError) as caught:
        captured(["files = !ls secret-folder\nx = 1", "print(files)"])
    assert str(caught.value) == (
        "In [1], line 1 cannot travel: `!ls` is no Python.\n"
        "  Why:  The job needs `files` from it, and it runs as a plain Python program.\n"
        "  Next: Write it in Python (`glob`, `subprocess`, …), or assign the value as a literal.\n"
        "[shell-dependency]"
    )


odd_text = st.text(
    st.sampled_from("ax=1'\"\\\n\r\t\x0b\x0c\x00\x1c\u2028\ud800😀é%!?;:()[]{}# @,.") | st.characters(), max_size=60
) | st.lists(
    st.sampled_from([
        "%", "%%", "!", "?", "x", "=", "x = !ls", "%time ", "'''", '"""', "\n", "\r\n", "\\\n", "if x:", "    ", "\t", "get_ipython()",
        "get_ipython().run_line_magic('time', 'x')", "get_ipython().system(x)", "%env A=", "{", "}", "$x", "@", "def f():", ";", "()", "\ud800",
        ">>> ", "In [1]: ", "%%timeit", "%timeit -n", "await x", "return", "%%ml_train", "%pip install ", "f'{x!r:>{y}}'", "*x, = y",
    ]), max_size=14,
).map("".join)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(odd_text)
@example("\x1e0")
def test_no_text_is_too_odd(cell: str) -> None:
    """Whatever a cell holds: its statements are Python on lines that the cell has, or there is one clear refusal."""
    found = cell_statements(cell)
    lines = max(1, len(cell.replace("\r\n", "\n").replace("\r", "\n").split("\n")))
    for statement in found.statements:
        assert 1 <= statement.line <= lines
        compile(statement.text, "<statement>", "exec", flags=0x400, dont_inherit=True)
    try:
        source = captured([cell, "x = 1"], namespace={})
        compile(render_module(source)[0], "<module>", "exec", flags=0x2000)
        captured(["x = y = A = 1", cell], namespace={})
    except CloudMLError as error:
        assert error.reference and "\n[" in str(error)


def test_importing_capture_is_cheap() -> None:
    """Neither IPython nor NumPy nor pandas is needed to import it."""
    program = "import sys, cloudml_magic.source; print([m for m in ('IPython', 'numpy', 'pandas', 'keras') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
