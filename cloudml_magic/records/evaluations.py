"""How good a model is on data whose truth is known: scores, a confusion matrix, and its worst answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well one class is told from the others; `support` is how many examples really belong to it."""

    label: str
    precision: float
    recall: float
    f_score: float
    support: int


@dataclass(frozen=True, slots=True)
class ClassScores:
    """How well classes are told apart; a row of `confusion` is what the examples of one true class were taken for."""

    accuracy: float
    macro_f: float
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class ValueScores:
    """How near predicted numbers come; `r_squared` is NaN where all true numbers are the same."""

    mean_absolute_error: float
    root_mean_squared_error: float
    r_squared: float


@dataclass(frozen=True, slots=True)
class WorstExample:
    """An example that the model got wrong: what it is, what the model took it for, and how sure it was.

    `share` is the probability of the wrong class; of a number it is None.
    """

    index: int
    truth: str
    answer: str
    share: float | None = None
    name: str = ""
    thumbnail: bytes | None = field(default=None, repr=False)
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The quality of a model on some data; `worst` are the examples that it got most wrong, the worst first."""

    model: str
    count: int
    scores: ClassScores | ValueScores
    worst: tuple[WorstExample, ...] = ()
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
