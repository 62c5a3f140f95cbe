"""The evaluation card: figures, scores, the matrix and the worst examples, the same as HTML, text and data."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cloudml_magic import notebook
from cloudml_magic.cards.evaluation import EVALUATION_MIME, bundle
from cloudml_magic.pipeline.evaluation.scores import class_scores, value_scores
from cloudml_magic.records import Evaluation, WorstExample
from tests.cards.elements import Elements
from tests.cards.schemas import check
from tests.shells import new_shell

SCORES = class_scores([0] * 9 + [1], [0] * 8 + [1, 0], ("weed", "maize"))


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "green").save(file, "PNG")
    return file.getvalue()


def evaluation(**others: Any) -> Evaluation:
    worst = (WorstExample(9, "maize", "weed", 0.97, "maize/3.png", picture()),)
    return Evaluation(**{"model": "seedlings", "count": 10, "scores": SCORES, "worst": worst, "seconds": 0.25} | others)


def test_classes_as_text() -> None:
    """That nine of ten are weeds is said, for then 80 % are no achievement."""
    assert bundle(evaluation())["text/plain"] == (
        "seedlings · accuracy 80.0 % · F-score, macro 44.4 % · 10 examples · 250 ms\n"
        "  Always answering 'weed' would be right for 90.0 %.\n"
        "\n"
        "  class  precision  recall  F-score  examples\n"
        "  weed   88.9 %     88.9 %  88.9 %   9\n"
        "  maize  0.0 %      0.0 %   0.0 %    1\n"
        "\n"
        "  true \\ answered  weed  maize\n"
        "  weed             8     1\n"
        "  maize            1     0\n"
        "\n"
        "  worst        true   answered\n"
        "  maize/3.png  maize  weed 97.0 %"
    )


def test_numbers_as_text() -> None:
    """The errors, and the worst rows with their columns."""
    worst = (WorstExample(1, "2", "4.5", inputs={"rooms": 3, "age": 41.0}),)
    content = bundle(evaluation(scores=value_scores([1.0, 2.0], [1.0, 4.5]), count=2, worst=worst))
    assert content["text/plain"] == (
        "seedlings · MAE 1.25 · RMSE 1.768 · R² -11.500 · 2 examples · 250 ms\n"
        "\n"
        "  worst  true  answered  rooms  age\n"
        "  1      2     4.5       3      41"
    )


def test_numbers_have_no_table_of_classes() -> None:
    """Neither scores nor a matrix, whose headings would stand alone."""
    page = bundle(evaluation(scores=value_scores([1.0, 2.0], [1.0, 4.5]), worst=()))["text/html"]
    assert "RMSE" in page and "<table" not in page


def test_balanced_classes_need_no_warning() -> None:
    """Half of two classes is no achievement of anybody, and no news."""
    scores = class_scores([0, 1] * 10, [0, 1] * 9 + [1, 0], ("cat", "dog"))
    assert "Always answering" not in bundle(evaluation(scores=scores))["text/plain"]


def test_data_as_the_schema_has_it() -> None:
    """For classes, for numbers without R², and for more classes than a matrix has room for."""
    many = class_scores(np.arange(60), np.roll(np.arange(60), 1), [f"class {index}" for index in range(60)])
    for scores in (SCORES, value_scores([1.0, 1.0], [1.0, 2.0]), many):
        document = bundle(evaluation(scores=scores))[EVALUATION_MIME]
        check("evaluation", document)
        json.dumps(document, allow_nan=False)


def test_of_many_classes_the_most_mistaken_are_shown() -> None:
    """And the card says how many are not."""
    truths = np.repeat(np.arange(40), 3)
    answers = np.where(truths == 35, 36, truths)
    content = bundle(evaluation(scores=class_scores(truths, answers, [f"c{index}" for index in range(40)])))
    assert "  c35  " in content["text/plain"]
    assert "16 classes that are mistaken less often are not shown" in content["text/plain"]
    assert "16 classes that are mistaken less often are not shown" in content["text/html"]


def test_html_has_no_scripts_and_nothing_from_elsewhere() -> None:
    """Whatever a class or a file is called is text; colours are the theme's."""
    hostile = "<script>alert(1)</script>\"'><img src=https://evil.example/x onerror=alert(1)>"
    scores = class_scores([0, 1], [1, 1], (hostile, "dog"))
    worst = (WorstExample(0, hostile, "dog", 0.5, hostile, picture(), {hostile: hostile}),)
    page = Elements(bundle(evaluation(model=hostile, scores=scores, worst=worst, notes=(hostile,)))["text/html"])
    assert {tag for tag, _ in page.found} <= {"div", "span", "table", "caption", "tr", "th", "td", "img"}
    for _, attributes in page.found:
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("src") or "data:image/png;base64,").startswith("data:image/")
        assert "http" not in (attributes.get("style") or "")


def test_a_cell_of_the_matrix_is_as_strong_as_its_share_of_its_row() -> None:
    """One maize of one that is taken for weed is as strong as a cell gets."""
    cells = re.findall(r'title="([^"]*)"[^>]*background:([^;]*(?:\([^;]*\))?);', bundle(evaluation())["text/html"])
    strength = {title: re.search(r"\) (\d+)%", shade) for title, shade in cells}
    told = {title: int(found[1]) if found else 0 for title, found in strength.items()}
    assert told["weed taken for weed: 8"] == round(55 * 8 / 9)
    assert told["maize taken for weed: 1"] == 55
    assert told["maize taken for maize: 0"] == 0


def test_an_evaluation_that_is_the_value_of_a_cell_shows_its_card(home: Path) -> None:
    """`cloudml_magic.evaluate(…)` at a cell's end."""
    shell = new_shell()
    before = shell.display_formatter.format(evaluation())[0]
    notebook.register(shell)
    assert shell.display_formatter.format(evaluation())[0] == bundle(evaluation())
    notebook.unregister(shell)
    assert shell.display_formatter.format(evaluation())[0] == before
