"""The prediction card: pictures beside their classes, rows with their predictions, and the same as text and data."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cloudml_magic import notebook
from cloudml_magic.cards.prediction import PREDICTION_MIME, bundle
from cloudml_magic.records import PredictedInstance, PredictedOutput, Prediction
from tests.cards.elements import Elements
from tests.cards.schemas import check
from tests.shells import new_shell


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    return file.getvalue()


def prediction(*instances: PredictedInstance, **others: Any) -> Prediction:
    fields = {
        "model": "digits",
        "version": "2",
        "values": [0.0] * len(instances),
        "seconds": 0.0123,
        "signature": "serving_default",
        "where": "this machine",
    } | others
    return Prediction(instances=instances, **fields)


CLASSES = (PredictedOutput("output_0", [0.1, 0.9], (("dog", 0.9), ("cat", 0.0999), ("bird", 0.0001))),)
PICTURED = PredictedInstance(CLASSES, "a.png", picture())
ROW = PredictedInstance((PredictedOutput("output_0", [0.25]),), inputs={"age": 25, "workclass": "Private"})


def test_three_representations_in_one_display() -> None:
    """Text for terminals, HTML for every front end, data for the lab extension."""
    content = bundle(prediction(PICTURED))
    assert set(content) == {"text/plain", "text/html", PREDICTION_MIME}
    json.dumps(content)


def test_a_prediction_that_is_the_value_of_a_cell_shows_its_card(home: Path) -> None:
    """`cloudml_magic.predict(…)` at a cell's end; in a terminal it is the text."""
    shell = new_shell()
    before = shell.display_formatter.format(prediction(PICTURED))[0]
    notebook.register(shell)
    assert shell.display_formatter.format(prediction(PICTURED))[0] == bundle(prediction(PICTURED))
    notebook.unregister(shell)
    assert shell.display_formatter.format(prediction(PICTURED))[0] == before


def test_pictures_as_text() -> None:
    """Aligned, best class first; what is nearly nothing is not called nothing."""
    assert bundle(prediction(PICTURED, notes=("a.png was made smaller.",)))["text/plain"] == (
        "digits/2 · 1 picture · 12 ms · served on this machine\n"
        "  a.png was made smaller.\n"
        "     picture  prediction\n"
        "  0  a.png    dog 90.0 %  cat 10.0 %  bird < 0.1 %"
    )


def test_rows_as_text() -> None:
    """The columns beside the prediction."""
    second = PredictedInstance((PredictedOutput("output_0", 1234.5678),), inputs={"age": 7, "workclass": "State-gov"})
    assert bundle(prediction(ROW, second, seconds=1.5))["text/plain"] == (
        "digits/2 · 2 instances · 1.5 s · served on this machine\n"
        "     age  workclass  prediction\n"
        "  0  25   Private    0.25\n"
        "  1  7    State-gov  1,234.57"
    )


def test_several_outputs_have_their_names() -> None:
    """In text and in the table."""
    outputs = (PredictedOutput("price", [3.5]), PredictedOutput("kind", [0.1, 0.9], (("b", 0.9), ("a", 0.1))))
    content = bundle(prediction(PredictedInstance(outputs)))
    assert "price  kind" in content["text/plain"]
    assert ">price</th>" in content["text/html"] and ">kind</th>" in content["text/html"]


def test_a_picture_stands_beside_its_bars() -> None:
    """As data within the page; nothing is fetched. The bars are as long as the shares."""
    elements = Elements(bundle(prediction(PICTURED))["text/html"]).found
    sources = [attributes["src"] for tag, attributes in elements if tag == "img"]
    assert len(sources) == 1 and (sources[0] or "").startswith("data:image/png;base64,")
    widths = [
        found for _, attributes in elements for found in re.findall(r"width:([\d.]+)%", attributes.get("style") or "")
    ]
    assert widths == ["90.0", "10.0", "0.0"]


def test_the_data_has_schema_1() -> None:
    """What a front end of ours may count on."""
    document = bundle(prediction(PICTURED, ROW, requests=2))[PREDICTION_MIME]
    json.dumps(document, allow_nan=False)
    assert {name: document[name] for name in ("schema", "model", "version", "where", "count", "milliseconds", "requests")} == {
        "schema": 1, "model": "digits", "version": "2", "where": "this machine", "count": 2, "milliseconds": 12.3, "requests": 2,
    }  # fmt: skip
    first, second = document["instances"]
    assert first["name"] == "a.png" and first["thumbnail"]
    assert first["outputs"][0]["classes"][0] == {"label": "dog", "share": 0.9}
    assert second["inputs"] == [
        {"name": "age", "text": "25", "is_number": True}, {"name": "workclass", "text": "Private", "is_number": False},
    ]  # fmt: skip
    check("prediction", document)
    assert second["thumbnail"] is None


def test_instances_may_be_answered_differently() -> None:
    """A serving image of the user's own may leave an output out."""
    other = PredictedInstance((PredictedOutput("else", 1),))
    content = bundle(prediction(ROW, other))
    assert content["text/plain"].splitlines()[1:] == [
        "     age  workclass  output_0  else",
        "  0  25   Private    0.25",
        "  1                            1",
    ]


def test_long_answers_are_cut_and_say_so() -> None:
    """A saved notebook does not grow with a thousand thumbnails."""
    content = bundle(prediction(*[PICTURED] * 24, values=[0.0] * 1000))
    assert content["text/plain"].endswith("and 976 more")
    assert content["text/html"].count("<img") == 24
    assert content[PREDICTION_MIME]["count"] == 1000 and len(content[PREDICTION_MIME]["instances"]) == 24


@pytest.mark.parametrize(
    "hostile",
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "\x1b[31mred\x1b[0m", "a\u202eb", "'onload='x"],
)
def test_whatever_a_model_or_a_file_says_is_text(hostile: str) -> None:
    """No element, no handler, no colour code, no turned direction."""
    output = PredictedOutput(hostile, hostile, ((hostile, 0.5),))
    plain = PredictedOutput("plain", hostile)
    content = bundle(
        prediction(
            PredictedInstance((output, plain), hostile, picture(), {hostile: hostile}),
            model=hostile, notes=(hostile,),
        )
    )  # fmt: skip
    check("prediction", content[PREDICTION_MIME])
    table = bundle(prediction(PredictedInstance((output, plain), inputs={hostile: hostile})))
    for page in (content["text/html"], table["text/html"]):
        for tag, attributes in Elements(page).found:
            assert tag in {"div", "span", "img", "table", "tr", "th", "td"}
            assert not any(name.startswith("on") for name in attributes)
            assert set(attributes) <= {"style", "role", "aria-label", "src", "alt"}
    for text in (content["text/plain"], json.dumps(content[PREDICTION_MIME])):
        assert "\x1b" not in text and "\\u001b" not in text and "\u202e" not in text and "\\u202e" not in text


def test_numbers_that_are_none_are_shown_as_they_are() -> None:
    """A model may answer NaN."""
    nan = float("nan")
    content = bundle(prediction(PredictedInstance((PredictedOutput("o", [nan, nan], (("a", nan), ("b", nan))),))))
    assert "nan" in content["text/plain"]
    assert "width:0.0%" in content["text/html"]
    json.dumps(content[PREDICTION_MIME], allow_nan=False)
