"""What the kernel holds and no cell defines: constants, imports, shipped data, refusals."""

from __future__ import annotations

import collections
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudml_magic.errors import CloudMLError
from cloudml_magic.source.kernel_values import LARGEST_LITERAL, PlainLiteral, form_of, literal

from .capturing import captured, module_of

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4) | st.tuples(inner, inner)
    | st.sets(st.integers() | st.text(max_size=2), max_size=4) | st.frozensets(st.integers(), max_size=3),
    max_leaves=12,
)  # fmt: skip


@given(plain)
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    """Numbers with NaN and infinities, strings with surrogates, and containers of them."""
    text = literal(value)
    assert text is not None
    assert shape_of(eval(text)) == shape_of(value)


def shape_of(value: Any) -> object:
    """A value by types and texts, so that NaN equals NaN, 0 is not False, and sets have no order."""
    if isinstance(value, dict):
        return [(shape_of(key), shape_of(item)) for key, item in value.items()]
    if isinstance(value, (set, frozenset)):
        return type(value).__name__, sorted(map(repr, value))
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [shape_of(item) for item in value]
    return type(value).__name__, repr(value)


def test_equal_sets_make_equal_text() -> None:
    """The same values make the same package."""
    assert literal({"b", "a", "c"}) == literal({"c", "b", "a"}) == "{'a', 'b', 'c'}"
    assert (literal(set()), literal(frozenset()), literal((1,)), literal(())) == ("set()", "frozenset()", "(1,)", "()")


def test_numpy_scalars_are_plain() -> None:
    """They are written as Python's own numbers."""
    import numpy as np

    assert (literal(np.float64(1.5)), literal(np.int8(3)), literal([np.bool_(True)])) == ("1.5", "3", "[True]")
    assert literal(np.float32("nan")) == 'float("nan")'
    assert math.isnan(eval(str(literal(float("nan")))))


@pytest.mark.parametrize(
    "value", [collections.OrderedDict(a=1), collections.Counter("a"), object(), [object()], {1: print}, iter([])]
)
def test_what_is_not_plain_is_no_constant(value: object) -> None:
    """Subclasses of containers behave otherwise, so they are not written as plain ones."""
    assert not isinstance(form_of("x", value), PlainLiteral)


def test_a_container_that_holds_itself() -> None:
    """It ends in a refusal, not in a recursion."""
    value: list[Any] = [1]
    value.append(value)
    assert literal(value) is None
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert not isinstance(form_of("x", deep), PlainLiteral)


def test_values_up_to_64_kilobytes() -> None:
    """Larger ones are refused with their size and a way out."""
    assert isinstance(form_of("x", "a" * (LARGEST_LITERAL - 2)), PlainLiteral)
    with pytest.raises(CloudMLError) as caught:
        captured(["print(x)"], {"x": list(range(100_000))})
    assert str(caught.value) == (
        "In [1], line 1 needs `x` (list of 100000), which no captured cell defines.\n"
        "  Why:  As a constant it would be larger than 64 KB.\n"
        "  Next: Write it to a file and add --data FILE, or turn it into an array and add --ship.\n"
        "[unshippable-value]"
    )


def test_a_captured_definition_comes_first() -> None:
    """The kernel is asked only for what no cell defines."""
    source = captured(["x = 1", "print(x, y)"], {"x": 5, "y": 6})
    assert [(value.name, value.literal) for value in source.values] == [("y", "6")]
    assert (
        module_of(["x = 1", "print(x, y)"], {"x": 5, "y": 6})
        == "y = 6\n\n# %% cell 1\nx = 1\n\n# %% cell 2\nprint(x, y)\n"
    )


def test_modules_functions_and_classes_become_imports() -> None:
    """What a module file defines is imported from there, by its shortest public path."""
    import os.path

    import numpy as np

    names = {"np": np, "join": os.path.join, "OD": collections.OrderedDict, "say": print, "json": __import__("json")}
    lines = [statement.text for statement in captured(["np, join, OD, say, json"], names).statements[:-1]]
    assert lines == [
        "from collections import OrderedDict as OD", "from posixpath import join", "import json", "import numpy as np", "from builtins import print as say",
    ]  # fmt: skip


def test_arrays_travel_only_if_the_user_says_so() -> None:
    """`--ship x` sends it; without it the refusal says so."""
    import numpy as np
    import pandas as pd

    names = {"x": np.zeros((10, 2), "uint8"), "df": pd.DataFrame({"a": [1]})}
    with pytest.raises(CloudMLError) as caught:
        captured(["print(x)"], names)
    assert str(caught.value) == (
        "In [1], line 1 needs `x` (ndarray (10, 2) uint8, 20 B), which no captured cell defines.\n"
        "  Why:  Arrays, frames and tensors travel only if you say so.\n"
        "  Next: Add --ship x, or run the cell that makes it again.\n"
        "[value-not-shipped]"
    )
    source = captured(["print(x, df)"], names, ship=("x", "df"))
    assert [(value.name, value.kind) for value in source.shipped] == [("x", "ndarray"), ("df", "DataFrame")]
    assert source.shipped[0].summary == "ndarray (10, 2) uint8, 20 B"


def test_what_is_shipped_is_not_made_again() -> None:
    """The kernel's value is the one that the job sees, so what made or changed it stays home."""
    import numpy as np

    names = {"x": np.ones(3)}
    cells = ["import numpy as np", "x = np.ones(3)", "x /= 255", "print(x)"]
    assert [statement.text for statement in captured(cells, names, ship=("x",)).statements] == ["print(x)"]
    with pytest.raises(CloudMLError) as caught:
        captured(["import numpy as np", "x, y = np.ones(3), 2", "print(x, y)"], names, ship=("x",))
    assert str(caught.value) == (
        "`x` is to be shipped, and In [2], line 1, which the job needs too, makes or changes it.\n"
        "  Why:  The job would not see the value that the kernel has.\n"
        "  Next: Ship the other names of that statement too, or leave this one out of --ship.\n"
        "[ship-conflict]"
    )


def test_shipping_what_cannot_be_shipped() -> None:
    """A missing name and a value of another kind are refused by name."""
    with pytest.raises(CloudMLError, match="--ship nope: there is no `nope`"):
        captured(["print(1)"], {}, ship=("nope",))
    with pytest.raises(CloudMLError, match="--ship x: str of 1 cannot be shipped"):
        captured(["print(x)"], {"x": "a"}, ship=("x",))


def test_other_objects_are_refused_by_name_type_and_advice(tmp_path: Path) -> None:
    """A model, an open file or an object of the user's."""

    class Thing:
        def __repr__(self) -> str:
            raise RuntimeError

        def __len__(self) -> int:
            raise RuntimeError

    with pytest.raises(CloudMLError) as caught:
        captured(["print(x)"], {"x": Thing()})
    assert str(caught.value).endswith(
        "which no captured cell defines.\n"
        "  Why:  It is no small plain value, array, frame or tensor.\n"
        "  Next: Build it in a cell that runs before, or put that cell under %%ml_code.\n"
        "[unshippable-value]"
    )


ARGUMENTS = {
    "int": ("n = 3", "5", "n = 5"), "int to float": ("n = 3", "0.5", "n = 0.5"), "float": ("n = 1.", "2", "n = 2.0"), "str": ("n = 'a'", "5", "n = '5'"),
    "bool": ("n = True", "false", "n = False"), "none": ("n = None", "x", "n = 'x'"), "list": ("n = [1, 2]", "[3]", "n = [3]"), "tuple": ("n = (1,\n  2)", "[3, 4]", "n = (3, 4)"),
    "annotated": ("n: int = 3", "4", "n: int = 4"), "one of two": ("m, n = 1, 2", "4", "m, n = 1, 4"), "negative": ("n = -1", "1e-3", "n = 0.001"),
    "nan": ("n = 1.0", "nan", 'n = float("nan")'), "text with quotes": ("n = 'a'", "it's \"x\"", "n = 'it\\'s \"x\"'"), "after another": ("é = 1; n = 2", "3", "n = 3"),
}  # fmt: skip


@pytest.mark.parametrize(("cell", "given_text", "wanted"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_arguments_replace_plain_values(cell: str, given_text: str, wanted: str) -> None:
    """`--arg NAME=VALUE` keeps the type of the value where the text allows it."""
    source = captured([cell, "print(n)"], arguments={"n": given_text})
    assert source.statements[-2].text == wanted


def test_arguments_replace_kernel_values_and_those_of_the_trained_cell() -> None:
    """Wherever the plain value comes from."""
    assert captured(["print(n)"], {"n": 3}, arguments={"n": "4"}).values[0].literal == "4"
    assert captured(["n = 3\nprint(n)"], arguments={"n": "4"}).statements[0].text == "n = 4"


def test_unknown_and_unfit_arguments() -> None:
    """A typo in --arg must not train the wrong thing."""
    with pytest.raises(CloudMLError) as caught:
        captured(["n = 3\nprint(n)"], arguments={"m": "4"})
    assert str(caught.value) == (
        "--arg m: the job has no plain value of this name.\n"
        "  Why:  What travels does not use it.\n"
        "  Next: Assign a literal to m in a cell (`m = …`) and use it in the cell that trains.\n"
        "[unknown-argument]"
    )
    with pytest.raises(CloudMLError, match="n is computed there"):
        captured(["n = len('a')\nprint(n)"], arguments={"n": "4"})
    with pytest.raises(CloudMLError) as caught:
        captured(["n = 3\nprint(n)"], arguments={"n": "many"})
    assert str(caught.value) == (
        "--arg n=many does not fit.\n  Why:  n is a number in the notebook.\n  Next: Give a number, or change the cell.\n[argument-type]"
    )


def test_a_variable_of_the_environment_stands_for_the_literal() -> None:
    """With `--env KEY` the code's `KEY` is read from the job's environment and its value never travels."""
    source = captured(["KEY = 'AIza" + "Sy" * 17 + "B'", "print(KEY)"], environment={"KEY": "x"})
    assert [statement.text for statement in source.statements] == [
        "KEY = __import__(\"os\").environ['KEY']",
        "print(KEY)",
    ]
    cells = ["import os\nos.environ['TOKEN'] = 'a1B2" + "c3D4" * 8 + "'\nos.environ['X'] = '1'", "print(1)"]
    assert [s.text for s in captured(cells, environment={"TOKEN": "x"}).statements] == [
        "import os",
        "os.environ['X'] = '1'",
        "print(1)",
    ]
    kernel = captured(["print(KEY)"], {"KEY": "x"}, environment={"KEY": "x"})
    assert kernel.values[0].literal == "__import__(\"os\").environ['KEY']"
