"""What is true, in every form that users have it, and what does not fit the model."""

from __future__ import annotations

import numpy as np
import pytest

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.evaluation.truths import class_indices, labels_for

LABELS = ("cat", "dog", "bird")


@pytest.mark.parametrize(
    "truths",
    [
        [2, 0],
        [2.0, 0.0],
        [[2], [0]],
        ["bird", "cat"],
        [b"bird", b"cat"],
        [[0, 0, 1], [1, 0, 0]],
    ],
)
def test_numbers_names_and_rows(truths: list[object]) -> None:
    """All of them say the same."""
    assert class_indices(np.array(truths), LABELS).tolist() == [2, 0]


def test_names_are_the_models_or_the_datas() -> None:
    """Without either, classes are numbered."""
    assert labels_for(("x", "y"), ("b", "a"), 2) == ("b", "a")
    assert labels_for(("x", "y"), (), 2) == ("x", "y")
    assert labels_for((), (), 2) == ("class 0", "class 1")


REFUSALS = {
    "too many labels": (
        lambda: labels_for((), LABELS, 2),
        "There are 3 labels, but the model tells 2 classes apart.\n"
        "  Next: Give one label for each class, in the order of the model's outputs: `--labels cat,dog`.\n"
        "[labels-do-not-fit]",
    ),
    "other classes in the data": (
        lambda: labels_for(("cat", "dog"), (), 3),
        "The data has 2 classes (cat, dog), but the model tells 3 apart.\n"
        "  Why:  Nothing says which of the model's outputs is which class.\n"
        "  Next: Say what they are called, in the order of the model's outputs: `--labels cat,dog,bird`.\n"
        "[labels-do-not-fit]",
    ),
    "a class that the model does not know": (
        lambda: class_indices(np.array(["cat", "fish"]), LABELS),
        "The data has classes that the model does not know: fish.\n"
        "  Why:  The model's classes are cat, dog, bird.\n"
        "  Next: Rename them, leave them out, or say what the model's classes are called: `--labels cat,dog`.\n"
        "[truth-is-no-class]",
    ),
    "a number beyond the classes": (
        lambda: class_indices(np.array([1, 3]), LABELS),
        "The truth 3 is none of the model's 3 classes.\n"
        "  Why:  Classes are numbered from 0 to 2.\n"
        "  Next: Give the numbers, or the names, of the classes that the model was trained on.\n"
        "[truth-is-no-class]",
    ),
    "no number": (
        lambda: class_indices(np.array([np.nan]), LABELS),
        "The truth nan is none of the model's 3 classes.\n"
        "  Why:  Classes are numbered from 0 to 2.\n"
        "  Next: Give the numbers, or the names, of the classes that the model was trained on.\n"
        "[truth-is-no-class]",
    ),
    "several classes at once": (
        lambda: class_indices(np.array([[1, 1, 0]]), LABELS),
        "A row of the truth does not name exactly one class.\n"
        "  Why:  An evaluation counts examples that belong to one class each.\n"
        "  Next: Give rows with a single 1, or evaluate each of several labels as a model of its own.\n"
        "[truth-is-no-class]",
    ),
    "too few columns": (
        lambda: class_indices(np.array([[1, 0]]), LABELS),
        "The truth has 2 columns, but the model tells 3 classes apart.\n"
        "  Next: Give one column for each class, or the numbers of the classes.\n"
        "[truth-is-no-class]",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_does_not_fit_is_said(case: str) -> None:
    """In one message, with what to do."""
    attempt, expected = REFUSALS[case]
    with pytest.raises(CloudMLError) as caught:
        attempt()
    assert str(caught.value) == expected
