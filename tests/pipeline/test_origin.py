"""Where a job was sent from: cells by the front end's ids, and the plain values that its code was given."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloudml_magic.pipeline.origin import origin_of_source, read_origin
from cloudml_magic.records import CapturedSource, CapturedStatement, CapturedValue, Cell, JobOrigin
from cloudml_magic.storage import Address

FIRST = Cell("width = 64\nname = 'a'\nx = load()", 2, "cell-a")
SECOND = Cell("%%ml_train\nfit(width)", 3, "cell-b")


def source(*texts: str, values: tuple[CapturedValue, ...] = ()) -> CapturedSource:
    statements = [CapturedStatement(text, FIRST, line) for line, text in enumerate(texts, 1)]
    return CapturedSource((*statements, CapturedStatement("fit(width)", SECOND, 2)), values)


def test_cells_are_known_by_the_ids_of_the_front_end() -> None:
    """A label is only a number, and another run of the cell changes it."""
    origin = origin_of_source(source("width = 64"), "a.ipynb", "In [3]")
    assert (origin.notebook, origin.cell, origin.cell_id) == ("a.ipynb", "In [3]", "cell-b")
    assert origin.cell_ids == {"In [2]": "cell-a", "In [3]": "cell-b"}


def test_plain_values_are_parameters() -> None:
    """Captured ones, assigned ones, and those of --arg, which replace them; no calls, no arrays, no tuples of names."""
    given = source(
        "width = 64", "rate = -1e-3", "shape = (28, 28)", "x = load()", "a = b = 1", "a.c = 2",
        values=(CapturedValue("epochs", "20"), CapturedValue("say", "print")),
    )  # fmt: skip
    origin = origin_of_source(given, None, "", ("--width=128",))
    assert dict(origin.parameters) == {"epochs": "20", "width": "128", "rate": "-0.001", "shape": "(28, 28)"}


def test_a_secret_is_no_parameter_to_be_shown() -> None:
    """What --allow-secrets lets travel is masked all the same."""
    key = "AIza" + "SyD4x0Zq8wLk3Jm1Nf7Tb2Vc5Rg9Hp6We7Z"
    origin = origin_of_source(source(f"key = {key!r}"), None, "")
    assert key not in str(origin.parameters)
    assert "hunter2hunter2" not in str(origin_of_source(source("password = 'hunter2hunter2'"), None, "").parameters)


@pytest.mark.parametrize(
    "content",
    [None, b"", b"[]", b"{", b"[" * 100_000, b'{"cell_ids": 3, "parameters": [1]}', b"\xff", b'{"notebook": 4}'],
)
def test_a_folder_that_says_nothing_of_use_is_no_error(content: bytes | None) -> None:
    """Somebody else's client writes no manifest, and a job may write over its own."""
    assert read_origin(Address.parse("gs://b/jobs/j"), Kept(content)) == JobOrigin()  # type: ignore[arg-type]


def test_what_was_written_is_read() -> None:
    """By the manifest in the job's folder."""
    written = {"notebook": "a.ipynb", "cell": "In [3]", "cell_ids": {"In [3]": "x"}, "parameters": {"width": "64"}}
    assert read_origin(Address.parse("gs://b/jobs/j"), Kept(json.dumps(written).encode())) == JobOrigin(  # type: ignore[arg-type]
        "a.ipynb", "In [3]", {"In [3]": "x"}, (("width", "64"),)
    )


class Kept:
    """A bucket with one object."""

    def __init__(self, content: bytes | None) -> None:
        self._content = content

    def read(self, address: Any) -> bytes | None:
        assert str(address) == "gs://b/jobs/j/manifest.json"
        return self._content
