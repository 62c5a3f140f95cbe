"""The three representations of an evaluation, made together from one view."""

from __future__ import annotations

import base64
import math
from typing import Any

from cloudml_magic.cards.evaluation.html import html
from cloudml_magic.cards.evaluation.text import text
from cloudml_magic.cards.evaluation.view import EvaluationView
from cloudml_magic.records import ClassScores, Evaluation, ValueScores
from cloudml_magic.wording import clean

EVALUATION_MIME = "application/vnd.cloudml.evaluation+json"
SCHEMA = 1
MOST_SCORES = 1000


def bundle(evaluation: Evaluation) -> dict[str, Any]:
    """What a front end chooses from."""
    view = EvaluationView.of(evaluation)
    return {"text/plain": text(view), "text/html": html(view), EVALUATION_MIME: document(evaluation, view)}


def document(evaluation: Evaluation, view: EvaluationView) -> dict[str, Any]:
    """The card as data: what schema/evaluation.schema.json describes."""
    scores = evaluation.scores
    return {
        "schema": SCHEMA,
        "model": view.title,
        "count": evaluation.count,
        "milliseconds": round(1000 * evaluation.seconds, 3),
        "classes": _classes(scores, view) if isinstance(scores, ClassScores) else None,
        "values": _values(scores) if isinstance(scores, ValueScores) else None,
        "worst": [
            {
                "index": example.index,
                "name": clean(example.name),
                "truth": shown.truth,
                "answer": shown.answer,
                "thumbnail": base64.b64encode(shown.thumbnail).decode() if shown.thumbnail else None,
                "inputs": [{"name": name, "text": value} for name, value in shown.inputs],
            }
            for example, shown in zip(evaluation.worst, view.worst, strict=True)
        ],
        "notes": list(view.notes),
    }


def _classes(scores: ClassScores, view: EvaluationView) -> dict[str, Any]:
    return {
        "accuracy": scores.accuracy,
        "macro_f": scores.macro_f,
        "scores": [
            {
                "label": clean(one.label),
                "precision": one.precision,
                "recall": one.recall,
                "f_score": one.f_score,
                "support": one.support,
            }
            for one in scores.classes[:MOST_SCORES]
        ],
        "confusion": {"labels": [one.label for one in view.classes], "rows": [list(row) for row in view.matrix]},
    }


def _values(scores: ValueScores) -> dict[str, Any]:
    return {
        "mean_absolute_error": _finite(scores.mean_absolute_error),
        "root_mean_squared_error": _finite(scores.root_mean_squared_error),
        "r_squared": _finite(scores.r_squared),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
