"""An evaluation in the words that its card shows; whatever data or a model says is cleaned first."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from cloudml_magic.cards.prediction.view import percent, words
from cloudml_magic.records import ClassScore, ClassScores, Evaluation, ValueScores, WorstExample
from cloudml_magic.wording import clean, duration

MOST_CLASSES = 24
"""So many classes are shown; of more, those that are most often mistaken."""

_LARGE = 1.5  # So many times its even share, a class is so large that accuracy alone misleads.


@dataclass(frozen=True, slots=True)
class ClassView:
    """A class and its figures in words."""

    label: str
    precision: str
    recall: str
    f_score: str
    f_share: float
    support: int


@dataclass(frozen=True, slots=True)
class WorstView:
    """One example that the model got wrong."""

    title: str
    truth: str
    answer: str
    thumbnail: bytes | None = field(repr=False)
    inputs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class EvaluationView:
    """Everything that a card shows; `left_out` classes have no place in it."""

    title: str
    headline: str
    figures: tuple[tuple[str, str], ...]
    classes: tuple[ClassView, ...]
    left_out: int
    matrix: tuple[tuple[int, ...], ...]
    worst: tuple[WorstView, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, evaluation: Evaluation) -> EvaluationView:
        """The few figures first; of many classes those that are mistaken most."""
        scores = evaluation.scores
        told = scores if isinstance(scores, ClassScores) else None
        shown = _shown(told) if told else ()
        took = duration(evaluation.seconds) if evaluation.seconds >= 1 else f"{1000 * evaluation.seconds:.0f} ms"
        return cls(
            title=clean(evaluation.model),
            headline=f"{evaluation.count:,} example{'' if evaluation.count == 1 else 's'} · {took}",
            figures=_figures(scores),
            classes=tuple(_class(told.classes[place]) for place in shown) if told else (),
            left_out=len(told.classes) - len(shown) if told else 0,
            matrix=tuple(tuple(told.confusion[row][column] for column in shown) for row in shown) if told else (),
            worst=tuple(_worst(example) for example in evaluation.worst),
            notes=(*(_unbalance(told) if told else ()), *(clean(note) for note in evaluation.notes)),
        )


def _figures(scores: ClassScores | ValueScores) -> tuple[tuple[str, str], ...]:
    if isinstance(scores, ClassScores):
        return ("accuracy", percent(scores.accuracy)), ("F-score, macro", percent(scores.macro_f))
    r_squared = "—" if math.isnan(scores.r_squared) else f"{scores.r_squared:.3f}"
    return (
        ("MAE", words(scores.mean_absolute_error)),
        ("RMSE", words(scores.root_mean_squared_error)),
        ("R²", r_squared),
    )


def _class(one: ClassScore) -> ClassView:
    figures = (percent(one.precision), percent(one.recall), percent(one.f_score))
    return ClassView(words(one.label), *figures, one.f_score, one.support)


def _shown(scores: ClassScores) -> tuple[int, ...]:
    places = range(len(scores.classes))
    if len(places) <= MOST_CLASSES:
        return tuple(places)
    rows, columns = scores.confusion, list(zip(*scores.confusion, strict=True))
    mistaken = {place: sum(rows[place]) + sum(columns[place]) - 2 * rows[place][place] for place in places}
    return tuple(sorted(sorted(places, key=lambda place: -mistaken[place])[:MOST_CLASSES]))


def _unbalance(scores: ClassScores) -> tuple[str, ...]:
    """What always answering with the largest class would reach, where that is much of what the model reaches."""
    largest = max(scores.classes, key=lambda one: one.support)
    share = largest.support / max(1, sum(one.support for one in scores.classes))
    if share < _LARGE / len(scores.classes) or share < scores.accuracy / 2:
        return ()
    return (f"Always answering {words(largest.label)!r} would be right for {percent(share)}.",)


def _worst(example: WorstExample) -> WorstView:
    answer = words(example.answer) + (f" {percent(example.share)}" if example.share is not None else "")
    return WorstView(
        title=words(example.name) if example.name else f"{example.index}",
        truth=words(example.truth),
        answer=answer,
        thumbnail=example.thumbnail,
        inputs=tuple((words(name), words(value, 6)) for name, value in example.inputs.items()),
    )
