"""The evaluation as aligned text: for terminals, and for whoever reads a notebook in an editor."""

from __future__ import annotations

from cloudml_magic.cards.evaluation.view import EvaluationView
from cloudml_magic.wording import aligned

_LONGEST_LABEL = 12


def text(view: EvaluationView) -> str:
    """The whole card."""
    figures = " · ".join(f"{name} {value}" for name, value in view.figures)
    parts = [f"{view.title} · {figures} · {view.headline}", *(f"  {note}" for note in view.notes)]
    parts += _block(_scores(view)) + _block(_matrix(view))
    if view.left_out:
        parts.append(f"  {view.left_out:,} classes that are mistaken less often are not shown.")
    return "\n".join(parts + _block(_worst(view)))


def _block(rows: list[list[str]]) -> list[str]:
    return ["", *(f"  {line}" for line in aligned(rows).splitlines())] if rows else []


def _scores(view: EvaluationView) -> list[list[str]]:
    rows = [[one.label, one.precision, one.recall, one.f_score, f"{one.support:,}"] for one in view.classes]
    return [["class", "precision", "recall", "F-score", "examples"], *rows] if rows else []


def _matrix(view: EvaluationView) -> list[list[str]]:
    labels = [one.label for one in view.classes]
    heads = [label[:_LONGEST_LABEL] for label in labels]
    rows = [[label, *map(str, row)] for label, row in zip(labels, view.matrix, strict=True)]
    return [["true \\ answered", *heads], *rows] if rows else []


def _worst(view: EvaluationView) -> list[list[str]]:
    columns = view.worst[0].inputs if view.worst else ()
    names = [name for name, _ in columns]
    rows = [[one.title, one.truth, one.answer, *(value for _, value in one.inputs)] for one in view.worst]
    return [["worst", "true", "answered", *names], *rows] if rows else []
