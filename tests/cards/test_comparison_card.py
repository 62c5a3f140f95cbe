"""The comparison card: what differs stands out, curves lie over each other."""

from __future__ import annotations

import base64
import json
import math
import re

from cloudml_magic.cards.comparison import COMPARISON_MIME, bundle
from cloudml_magic.records import ComparedCurve, ComparedJob, Comparison
from cloudml_magic.states import JobState
from tests.cards.elements import Elements
from tests.cards.schemas import check


def job(title: str, width: str, *values: float, validation: tuple[float, ...] = ()) -> ComparedJob:
    steps = tuple(float(step) for step in range(1, len(values) + 1))
    curves = {"loss": ComparedCurve(steps, values)} if values else {}
    if validation:
        curves["val_loss"] = ComparedCurve(steps, validation)
    parameters = {"epochs": "20", "width": width}
    return ComparedJob(title, title, JobState.SUCCEEDED, 75.0, parameters, curves)


TWO = Comparison((job("small", "8", 2.0, 1.0), job("wide", "64", 1.5, 0.5, validation=(1.6, 0.75))))


def test_as_text() -> None:
    """A star marks what differs; parameters that do come first."""
    assert bundle(TWO)["text/plain"] == (
        "            small       wide\n"
        "  state     Succeeded   Succeeded\n"
        "  took      1 min 15 s  1 min 15 s\n"
        "* loss      1.000       0.500\n"
        "* val_loss  –           0.750\n"
        "* width     8           64\n"
        "  epochs    20          20\n"
        "  loss      █▁          █▁"
    )


def test_data_as_the_schema_has_it() -> None:
    """Gaps in a curve, a job without any, and far more points than are shown."""
    gap = Comparison((job("a", "1", math.nan, 1.0), job("b", "1"), job("c", "2", *map(float, range(5000)))))
    for comparison in (TWO, gap):
        document = bundle(comparison)[COMPARISON_MIME]
        check("comparison", document)
        json.dumps(document, allow_nan=False)


def test_curves_share_one_scale() -> None:
    """The best loss of all is at the bottom, the worst at the top; validation is dashed in its job's colour."""
    address = re.search(r'base64,([^"]+)', bundle(TWO)["text/html"])
    assert address is not None
    picture = base64.b64decode(address[1]).decode()
    assert '<path d="M0.0 0.0 L280.0 80.0" stroke="#2f80e0"/>' in picture
    assert '<path d="M0.0 40.0 L280.0 120.0" stroke="#d9822b"/>' in picture
    assert re.search(r'stroke="#d9822b" stroke-dasharray', picture)


def test_html_has_no_scripts() -> None:
    """Whatever a job is called, or was given, is text."""
    hostile = "<script>alert(1)</script>\"'><img src=https://evil.example/x onerror=alert(1)>"
    shown = bundle(Comparison((job(hostile, hostile, 1.0), job("b", "1", 2.0))))["text/html"]
    for tag, attributes in Elements(shown).found:
        assert tag in {"div", "span", "table", "tr", "th", "td", "img"}
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("src") or "data:image/").startswith("data:image/")
