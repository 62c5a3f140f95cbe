"""The figures of an evaluation, held against counts made by hand and against scikit-learn's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics

from cloudml_magic.pipeline.evaluation.scores import class_scores, confusion_matrix, shares, value_scores


def test_a_matrix_has_true_classes_in_rows() -> None:
    """Two cats of which one is taken for a dog, one dog, and no bird."""
    assert confusion_matrix([0, 0, 1], [0, 1, 1], 3).tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]


def test_the_figures_of_each_class() -> None:
    """Precision is of the answers, recall of the truth; a class that never occurs counts nowhere."""
    scores = class_scores([0, 0, 1], [0, 1, 1], ("cat", "dog", "bird"))
    assert scores.accuracy == pytest.approx(2 / 3)
    assert [(one.label, one.precision, one.recall, one.support) for one in scores.classes] == [
        ("cat", 1.0, 0.5, 2),
        ("dog", 0.5, 1.0, 1),
        ("bird", 0.0, 0.0, 0),
    ]
    assert scores.macro_f == pytest.approx(2 / 3)


def test_the_figures_are_those_of_scikit_learn() -> None:
    """For many classes of very different sizes."""
    random = np.random.default_rng(7)
    truths = random.choice(8, 3000, p=np.array([2.0**-k for k in range(8)]) / sum(2.0**-k for k in range(8)))
    answers = np.where(random.random(3000) < 0.7, truths, random.integers(0, 8, 3000))
    scores = class_scores(truths, answers, [str(k) for k in range(8)])
    precision, recall, f_score, support = metrics.precision_recall_fscore_support(truths, answers)
    assert [one.precision for one in scores.classes] == pytest.approx(precision.tolist())
    assert [one.recall for one in scores.classes] == pytest.approx(recall.tolist())
    assert [one.f_score for one in scores.classes] == pytest.approx(f_score.tolist())
    assert [one.support for one in scores.classes] == support.tolist()
    assert scores.confusion == tuple(map(tuple, metrics.confusion_matrix(truths, answers).tolist()))
    assert scores.macro_f == pytest.approx(metrics.f1_score(truths, answers, average="macro"))


def test_the_errors_of_numbers() -> None:
    """And no R² where all truths are the same."""
    scores = value_scores([1.0, 2.0, 3.0], [1.0, 2.0, 5.0])
    assert scores.mean_absolute_error == pytest.approx(2 / 3)
    assert scores.root_mean_squared_error == pytest.approx(math.sqrt(4 / 3))
    assert scores.r_squared == pytest.approx(-1.0)
    assert math.isnan(value_scores([2.0, 2.0], [1.0, 3.0]).r_squared)


def test_what_each_class_gets() -> None:
    """One probability is that of the second class; logits become shares, however large they are."""
    assert shares([[0.25]], "sigmoid").tolist() == [[0.75, 0.25]]
    assert shares([[0.0]], "logits").tolist() == [[0.5, 0.5]]
    assert shares([[0.0, 1000.0]], "logits").tolist() == [[0.0, 1.0]]
    assert shares([[0.2, 0.8]], "softmax").tolist() == [[0.2, 0.8]]
