"""The three representations of a prediction, made together from one view."""

from __future__ import annotations

import base64
import math
from typing import Any

from cloudml_magic.cards.prediction.html import html
from cloudml_magic.cards.prediction.text import text
from cloudml_magic.cards.prediction.view import InstanceView, PredictionView
from cloudml_magic.records import Prediction
from cloudml_magic.wording import clean

PREDICTION_MIME = "application/vnd.cloudml.prediction+json"
SCHEMA = 1


def bundle(prediction: Prediction) -> dict[str, Any]:
    """What a front end chooses from."""
    view = PredictionView.of(prediction)
    return {"text/plain": text(view), "text/html": html(view), PREDICTION_MIME: document(prediction, view)}


def document(prediction: Prediction, view: PredictionView) -> dict[str, Any]:
    """The card as data: what schema/prediction.schema.json describes."""
    return {
        "schema": SCHEMA,
        "model": clean(prediction.model),
        "version": clean(prediction.version),
        "where": clean(prediction.where),
        "signature": clean(prediction.signature),
        "count": len(prediction.values),
        "milliseconds": round(1000 * prediction.seconds, 3),
        "requests": prediction.requests,
        "notes": list(view.notes),
        "instances": [_instance(each) for each in view.instances],
    }


def _instance(instance: InstanceView) -> dict[str, Any]:
    return {
        "name": instance.name,
        "thumbnail": base64.b64encode(instance.thumbnail).decode() if instance.thumbnail else None,
        "inputs": [
            {"name": name, "text": words, "is_number": name in instance.numbers}
            for name, words in instance.inputs.items()
        ],
        "outputs": [
            {
                "name": output.name,
                "text": output.words,
                "classes": [
                    {"label": label, "share": share if math.isfinite(share) else None} for label, share in output.bars
                ],
            }
            for output in instance.outputs
        ],
    }
