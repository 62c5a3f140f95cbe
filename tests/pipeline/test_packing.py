"""What a package holds of the cells that it came from."""

from __future__ import annotations

import gzip
from pathlib import Path

from cloudml_magic.history import ExecutedCell
from cloudml_magic.pipeline.packing import pack
from cloudml_magic.source import capture


def _packed(cell: str, *, handed_over: tuple[str, ...] = ()) -> bytes:
    source = capture([], ExecutedCell(cell, 1), namespace={}, folder=Path("/nonexistent"))
    return gzip.decompress(pack("job", source, handed_over).package.content)


def test_a_package_holds_no_value_that_is_handed_over_apart() -> None:
    """Neither from the options of the magic, however short and quoted, nor from a line that does not travel."""
    cell = "%%ml_train --env KEY='q9 7' --env TOKEN=plum-tree\nprint(1)\n!login plum-tree"
    content = _packed(cell, handed_over=("q9 7", "plum-tree"))
    assert b"q9 7" not in content and b"plum-tree" not in content
    assert b"!login ***" in content


def test_options_do_not_change_the_package() -> None:
    """The same cell makes the same bytes, whatever it is asked to run on."""
    assert _packed("%%ml_train\nprint(1)") == _packed("%%ml_train job --gpu T4\nprint(1)")
