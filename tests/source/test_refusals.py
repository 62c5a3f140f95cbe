"""Why a cell cannot travel, and what the user reads then."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from cloudml_magic.errors import CloudMLError
from cloudml_magic.history import ExecutedCell
from cloudml_magic.records import DataFile
from cloudml_magic.source import CaptureOptions, capture

from .capturing import captured, texts


def refusal(cells: list[str], **options: object) -> str:
    with pytest.raises(CloudMLError) as caught:
        captured(cells, **options)  # type: ignore[arg-type]
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    return str(caught.value)


def test_an_undefined_name() -> None:
    """It is refused by cell and line, before anything is sent."""
    assert refusal(["x = 1", "%%ml_train\n\nfit(modle)\nmodel = 1"], namespace={"model": 3, "fit": print}) == (
        "In [2], line 3 uses `modle`, which is not defined.\n"
        "  Why:  No cell that ran defines it, and the kernel does not know it.\n"
        "  Next: Did you mean `model`?\n"
        "[undefined-name]"
    )


def test_an_undefined_name_within_a_function_that_is_called() -> None:
    """Free names of functions count as soon as the trained cell may call them."""
    assert "In [1], line 2 uses `nope`" in refusal(["def f():\n    return nope", "f()"])
    assert texts(captured(["def f():\n    return nope", "1"])) == ["1"]


def test_a_method_may_use_what_is_defined_after_the_object_was_made() -> None:
    """Only what runs looks names up; a function that is called runs."""
    cells = ["class A:\n    def go(self):\n        return step()", "a = A()", "def step():\n    return 1", "a.go()"]
    assert texts(captured(cells)) == cells
    assert "uses `k`, which is not defined" in refusal(["def f():\n    return k", "a = f()", "k = 2", "print(a, f())"])


def test_a_name_whose_absence_is_expected() -> None:
    """`try: … except NameError` asks for itself."""
    cell = "try:\n    kind = unicode\nexcept NameError:\n    kind = str\nprint(kind)"
    assert len(texts(captured([cell]))) == 2


def test_a_name_that_only_a_cell_defines_which_does_not_count() -> None:
    """The reason is said: it raised, was itself sent away, or is not marked."""
    raised = [ExecutedCell("x = 1; 1 / 0", 1, raised=True)]
    with pytest.raises(CloudMLError) as caught:
        capture(raised, ExecutedCell("print(x)", 2), namespace={}, folder=Path("/nonexistent"))
    assert str(caught.value) == (
        "In [2], line 1 uses `x`, which is not defined.\n"
        "  Why:  In [1] would define it, but raised an error.\n"
        "  Next: Define it in a cell that runs in this notebook.\n"
        "[undefined-name]"
    )
    assert "In [1] defines it, but is itself trained as a job" in refusal(["%%ml_train\nx = 1", "print(x)"])
    assert "--only-marked was given" in refusal(["x = []", "%%ml_code\ny = 1", "print(x, y)"], only_marked=True)


def test_a_deleted_name() -> None:
    """What a cell deleted is not there, in the job neither."""
    assert refusal(["x = 1", "del x", "print(x)"]) == (
        "In [3], line 1 uses `x`, which is not defined.\n"
        "  Why:  In [2], line 1 deletes it.\n"
        "  Next: Take the `del` out, or define the name again after it.\n"
        "[undefined-name]"
    )


SYNTAX = {
    "a syntax error": ("%%ml_train\nx = 1\nx = = 2", "In [1], line 3 is no valid Python: invalid syntax."),
    "an open bracket": ("%%ml_train\nx = (1,", "In [1], line 2 is no valid Python: '(' was never closed."),
    "return": ("x = 1\nreturn x", "In [1], line 2 is no valid Python: 'return' outside function."),
    "a NUL": ("x = 1\ny = '\0'", "In [1], line 2 is no valid Python: source code string cannot contain null bytes."),
    "a lone surrogate": ("x = 1\ny = '\ud800'", "In [1], line 2 is no valid Python: a character that is no text."),
    "await": ("x = 1\nawait x", "In [1], line 2 awaits outside a function."),
    "another language": ("%%bash\nls", "In [1] is no Python: %%bash is not Python that a job could run."),
    "nothing": ("%%ml_train\n# later", "In [1] holds nothing to train."),
    "too deep": ("x = " + "(" * 5000 + ")" * 5000, "In [1], line 1 is no valid Python: too many nested parentheses."),
}


@pytest.mark.parametrize(("cell", "first"), SYNTAX.values(), ids=SYNTAX)
def test_unfit_syntax(cell: str, first: str) -> None:
    """Lines count as the editor shows them, the `%%ml_train` line too."""
    assert refusal([cell]).split("\n")[0] == first


def test_long_sums_are_no_obstacle() -> None:
    """A tree too deep to be read in detail travels with all that it names."""
    long = "y = " + " + ".join(["x"] * 900)
    assert texts(captured(["x = 1", long, "print(y)"])) == ["x = 1", long, "print(y)"]


def test_several_reasons_come_together() -> None:
    """One error names each cell and line."""
    assert refusal(["k = 'a'", "print(one)\nprint(two)\nawait k"]) == (
        "3 things of this cell cannot travel.\n"
        "  Why:  In [2], line 1 uses `one`, which is not defined. [undefined-name]\n"
        "        In [2], line 2 uses `two`, which is not defined. [undefined-name]\n"
        "        In [2], line 3 awaits outside a function. [top-level-await]\n"
        "  Next: Run the cell that defines it, then train again.\n"
        "        Put it into an `async def` and call that with `asyncio.run(…)`.\n"
        "[cell-cannot-travel]"
    )


OPENED = {
    "open": "open('data.csv')", "pandas": "import pandas as pd\npd.read_csv('data.csv', sep=';')", "numpy": "import numpy as np\nnp.load('data.csv')",
    "a name": "path = 'data.csv'\nopen(path)", "joined": "import os\nopen(os.path.join('.', 'data.csv'))", "pathlib": "from pathlib import Path\nPath('data.csv').read_text()",
    "a slash": "from pathlib import Path\nimport pandas as pd\npd.read_csv(Path('.') / 'data.csv')", "a keyword": "import pandas as pd\npd.read_csv(filepath_or_buffer='data.csv')",
    "in a function": "def f():\n    return open('data.csv')\nf()", "an f-string": "n = 'data'\nopen(f'{n}.csv')", "glob": "import glob\nglob.glob('data.csv/*.png')",
    "a folder of images": "import keras\nkeras.utils.image_dataset_from_directory('data.csv')", "weights": "import keras\nm = keras.Sequential()\nm.load_weights('data.csv')",
}  # fmt: skip


@pytest.mark.parametrize("cell", OPENED.values(), ids=OPENED)
def test_a_local_file_is_asked_for(cell: str, tmp_path: Path) -> None:
    """A file that the code opens by a literal path travels only with --data."""
    (tmp_path / "data.csv").write_text("a")
    text = refusal([cell], namespace={}, folder=tmp_path)
    assert "opens " in text and "Add --data data.csv." in text and text.endswith("[data-file]"), text
    source = captured([cell], namespace={}, folder=tmp_path, data=(DataFile(str(tmp_path / "data.csv"), "data.csv"),))
    assert source.data[0].path == "data.csv"
    assert captured([cell], folder=tmp_path).warnings == ()


def test_the_whole_text_about_a_local_file(tmp_path: Path) -> None:
    """What happened, why, and what to do."""
    assert refusal(["%%ml_train\nopen('a/b.txt')"], namespace={}, folder=tmp_path) == (
        "In [1], line 2 opens a/b.txt, which would not travel.\n"
        "  Why:  There is no such file beside the notebook either.\n"
        "  Next: Add --data a/b.txt=ADDRESS with the file's path or gs:// address.\n"
        "[data-file]"
    )
    assert captured(["open('a/b.txt')"], folder=tmp_path).warnings == (
        "In [1], line 1 opens a/b.txt, which is not beside the notebook.",
    )


NOT_OPENED = {
    "written before": "open('a.txt', 'w').write('x')\nopen('a.txt')",
    "saved before": "import numpy as np\nnp.save('a.npy', np.ones(1))\nnp.load('a.npy')",
    "downloaded before": "from urllib.request import urlretrieve\nurlretrieve('http://h/a', 'a.zip')\nopen('a.zip')",
    "an address": "import pandas as pd\npd.read_csv('gs://b/a.csv')\npd.read_csv('https://h/a.csv')",
    "a mount": "open('/gcs/b/a.csv')",
    "written only": "open('log.txt', 'a').write('x')",
    "not a file": "import json\njson.load('x')\nd = {}\nd.get('a.csv')\nprint('data.csv')",
    "a checkpoint": "import keras\nc = keras.callbacks.ModelCheckpoint('best.keras')\nkeras.Sequential().load_weights('best.keras')",
    "made by a call of unknown kind": "from a import make\nmake('thing.bin')\nopen('thing.bin')",
    "asked for first": "import os\nif os.path.exists('a.keras'):\n    open('a.keras')",
    "text in memory": "import io, pandas as pd\npd.read_csv(io.StringIO('a,b'))\npd.read_json('{\"a\": 1}')",
}


@pytest.mark.parametrize("cell", NOT_OPENED.values(), ids=NOT_OPENED)
def test_what_is_no_missing_file(cell: str, tmp_path: Path) -> None:
    """What the code writes itself, an address, or a file that it asks for first."""
    captured([cell], namespace={}, folder=tmp_path)


@pytest.mark.parametrize(
    "path", ["/home/ann/data.csv", "~/data.csv", "/Users/ann/data.csv", "C:\\\\data\\\\data.csv", "/data/data.csv"]
)
def test_absolute_paths(path: str, tmp_path: Path) -> None:
    """Only this machine has them; the advice says how they travel."""
    text = refusal([f"open('{path}')"], namespace={}, folder=tmp_path)
    shown = path.replace("\\\\", "\\")
    assert text == (
        f"In [1], line 1 names {shown}, which only this machine has.\n"
        "  Why:  A job finds its files under relative paths.\n"
        f'  Next: Add --data data.csv={shown} and write "data.csv" in the code.\n'
        "[absolute-path]"
    )


def test_paths_that_are_everywhere(tmp_path: Path) -> None:
    """Routes, mounts and temporary folders are no reason to refuse."""
    cell = "a = '/predict'\nb = '/tmp/x'\nopen('/dev/null', 'w')\nc = 'and/or'\nd = '~ about'\nprint('/home')"
    captured([cell], namespace={}, folder=tmp_path)


def test_the_shells_own_names() -> None:
    """`_`, `Out` and `get_ipython` are IPython's."""
    assert refusal(["print(Out[3])"], namespace={"Out": {3: 4}}) == (
        "In [1], line 1 uses `Out`, which only IPython has.\n"
        "  Why:  The job runs as a plain Python program.\n"
        "  Next: Give the value a name of its own in an earlier cell.\n"
        "[shell-dependency]"
    )
    assert "shell-dependency" in refusal(["x = get_ipython().user_ns\nprint(x)"], namespace={"get_ipython": 1})
    assert texts(captured(["for _ in range(3):\n    print(_)"])) == ["for _ in range(3):\n    print(_)"]


def test_only_marked_takes_marked_cells_whole() -> None:
    """`%%ml_code` always travels, whole; with --only-marked nothing else does."""
    cells = ["x = 1", "%%ml_code\na = 1\nb = 2", "y = 3", "print(a)"]
    assert texts(captured(cells)) == ["a = 1", "b = 2", "print(a)"]
    assert texts(captured([*cells[:3], "print(a, x)"], namespace={"x": 1}, only_marked=True)) == [
        "a = 1",
        "b = 2",
        "print(a, x)",
    ]
    assert captured([*cells[:3], "print(a, x)"], namespace={"x": 1}, only_marked=True).values[0].literal == "1"


def test_an_earlier_self_of_the_trained_cell_does_not_count() -> None:
    """A cell that ran as usual and then got its `%%ml_train` is one cell."""
    cells = [ExecutedCell("m = []", 1, "a"), ExecutedCell("m.append(1)", 2, "b")]
    source = capture(
        cells,
        ExecutedCell("%%ml_train\nm.append(1)", 3, "b"),
        namespace={},
        folder=Path("/nonexistent"),
        options=CaptureOptions(),
    )
    assert texts(source) == ["m = []", "m.append(1)"]


def test_what_a_script_made_is_imported_from_it_instead(tmp_path: Path) -> None:
    """A function or class that `%run` left in the kernel has no cell: the file is named, and how to import from it."""
    script = tmp_path / "made.py"
    script.write_text("def build():\n    return 3\nclass Own:\n    def build(self): ...\n")
    namespace: dict[str, object] = {"__name__": "__main__"}
    exec(compile(script.read_text(), str(script), "exec"), namespace)
    with pytest.raises(CloudMLError) as caught:
        captured(["%run made.py", "build()"], namespace)
    assert str(caught.value) == (
        "In [2], line 1 needs `build` (a function of made.py), which no captured cell defines.\n"
        "  Why:  The notebook ran that file, it did not import it.\n"
        "  Next: Write `from made import build` in a cell, with the file beside the notebook.\n"
        "[unshippable-value]"
    )
    with pytest.raises(CloudMLError, match=r"a class of made\.py"):
        captured(["%run made.py", "Own()"], namespace)


def test_a_function_of_a_cell_that_does_not_count_is_told_with_that_cell() -> None:
    """The kernel holds it, but its cell raised or is not marked: the refusal says which cell and why."""

    def shared() -> None: ...

    shared.__module__ = "__main__"
    shared.__code__ = shared.__code__.replace(co_filename="<cell>")
    with pytest.raises(CloudMLError) as caught:
        captured(["def shared(): ...", "shared()"], {"shared": shared}, only_marked=True)
    assert str(caught.value) == (
        "In [2], line 1 needs `shared` (a function of this notebook), which no captured cell defines.\n"
        "  Why:  In [1] defines it, but is not marked with %%ml_code, and --only-marked was given.\n"
        "  Next: Mend or mark that cell and run it again, or define `shared` in another.\n"
        "[unshippable-value]"
    )


@pytest.mark.parametrize("cell", ["%%ml_train\nfiles = !ls", "%%ml_train\n!ls", "%%ml_train\n# later"])
def test_a_cell_of_which_nothing_could_run_is_refused(cell: str) -> None:
    """A job without a statement would succeed at nothing."""
    with pytest.raises(CloudMLError, match=r"In \[1\] holds nothing to train\."):
        captured([cell], {})
