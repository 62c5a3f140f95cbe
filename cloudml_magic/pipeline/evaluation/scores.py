"""The figures of an evaluation, from what is true and what a model said: pure functions of NumPy arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from cloudml_magic.records import ClassScore, ClassScores, ValueScores


def class_scores(truths: Any, answers: Any, labels: Sequence[str]) -> ClassScores:
    """Precision, recall and F-score of each class, from the indices of the true and of the answered classes.

    The macro F-score counts each class that occurs, in the data or in the answers, once, however rare it is.
    """
    confusion = confusion_matrix(truths, answers, len(labels))
    hits = confusion.diagonal()
    support, answered = confusion.sum(axis=1), confusion.sum(axis=0)
    classes = tuple(
        ClassScore(
            label,
            precision=_ratio(hits[index], answered[index]),
            recall=_ratio(hits[index], support[index]),
            f_score=_ratio(2 * hits[index], answered[index] + support[index]),
            support=int(support[index]),
        )
        for index, label in enumerate(labels)
    )
    occurring = [one.f_score for one, count in zip(classes, answered + support, strict=True) if count]
    return ClassScores(
        accuracy=_ratio(hits.sum(), confusion.sum()),
        macro_f=sum(occurring) / len(occurring) if occurring else 0.0,
        classes=classes,
        confusion=tuple(tuple(map(int, row)) for row in confusion),
    )


def confusion_matrix(truths: Any, answers: Any, count: int) -> Any:
    """How many examples of the class of a row were taken for the class of a column."""
    import numpy as np

    pairs = np.asarray(truths, dtype=np.int64) * count + np.asarray(answers, dtype=np.int64)
    return np.bincount(pairs, minlength=count * count).reshape(count, count)


def value_scores(truths: Any, answers: Any) -> ValueScores:
    """Mean absolute and root mean squared error, and the share of the variance that is explained."""
    import numpy as np

    truths, answers = np.asarray(truths, dtype=np.float64), np.asarray(answers, dtype=np.float64)
    errors = answers - truths
    squares = float((errors**2).sum())
    variance = float(((truths - truths.mean()) ** 2).sum())
    return ValueScores(
        mean_absolute_error=float(np.abs(errors).mean()),
        root_mean_squared_error=math.sqrt(squares / len(truths)),
        r_squared=1 - squares / variance if variance else math.nan,
    )


def shares(outputs: Any, activation: str) -> Any:
    """What each class got, a row for each example; one probability becomes those of two classes."""
    import numpy as np

    values = np.asarray(outputs, dtype=np.float64)
    if values.shape[1] == 1:
        second = 1 / (1 + np.exp(-np.clip(values, -700, 700))) if activation == "logits" else values
        return np.concatenate([1 - second, second], axis=1)
    if activation != "logits":
        return values
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _ratio(part: Any, whole: Any) -> float:
    return float(part) / float(whole) if whole else 0.0
