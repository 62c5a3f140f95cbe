"""From what a model answered to what people read: classes by name, best first; numbers as numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from cloudml_magic.pipeline.prediction.given import MOST_ROWS, MOST_SHOWN, Given
from cloudml_magic.records import ModelInterface, PredictedInstance, PredictedOutput, TensorSpec

_TOLERANCE = 1e-3
_LONGEST_INPUT = 16


def instances_of(given: Given, interface: ModelInterface, predictions: Sequence[Any]) -> tuple[PredictedInstance, ...]:
    """The first ones, in their order: as many as a card shows; only the plain values are whole."""
    predictions = predictions[: MOST_SHOWN if _has_pictures(given) else MOST_ROWS]
    kinds = {
        spec.name: _kind(spec, interface, predictions, given.signature.outputs) for spec in given.signature.outputs
    }
    shown = _inputs(given)
    found = []
    for index, prediction in enumerate(predictions):
        values = _by_output(prediction, given.signature.outputs)
        outputs = tuple(_output(name, value, kinds.get(name, ""), interface) for name, value in values.items())
        picture = given.pictures[index] if given.pictures else None
        thumbnail = picture.thumbnail if picture else given.thumbnails[index] if index < len(given.thumbnails) else None
        found.append(
            PredictedInstance(outputs, picture.name if picture else "", thumbnail, shown[index] if shown else {})
        )
    return tuple(found)


def _by_output(prediction: Any, outputs: Sequence[TensorSpec]) -> dict[str, Any]:
    if isinstance(prediction, dict) and tuple(prediction) != ("b64",):
        return {str(name): value for name, value in prediction.items()}
    return {outputs[0].name if outputs else "output": prediction}


def _kind(
    spec: TensorSpec, interface: ModelInterface, predictions: Sequence[Any], outputs: Sequence[TensorSpec]
) -> str:
    """`softmax`, `logits`, `sigmoid`, or nothing: whether the numbers of an output are shares of classes."""
    activation = interface.activations.get(spec.name, "")
    if activation in ("softmax", "sigmoid", "logits"):
        return activation
    values = [_by_output(prediction, outputs).get(spec.name) for prediction in predictions]
    if not activation and values and all(map(_is_distribution, values)):
        # A model from elsewhere does not say it; that all rows sum to one leaves no doubt.
        return "softmax"
    return ""


def _is_distribution(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 1
        and all(isinstance(item, int | float) and -_TOLERANCE <= item <= 1 + _TOLERANCE for item in value)
        and abs(sum(value) - 1) < _TOLERANCE
    )


def _output(name: str, value: Any, kind: str, interface: ModelInterface) -> PredictedOutput:
    shares = _shares(value, kind)
    if shares is None:
        return PredictedOutput(name, value)
    labels = interface.labels.get(name, ())
    if len(shares) == 1:
        # One probability: that of the second of two classes, or of the only one that has a name.
        (share,) = shares
        if len(labels) == 2:
            return PredictedOutput(name, value, _best_first([(labels[0], 1 - share), (labels[1], share)]))
        return PredictedOutput(name, value, ((labels[0], share),) if len(labels) == 1 else ())
    names = labels if len(labels) == len(shares) else [f"class {index}" for index in range(len(shares))]
    return PredictedOutput(name, value, _best_first(list(zip(names, shares, strict=True))))


def _shares(value: Any, kind: str) -> list[float] | None:
    numbers = value if isinstance(value, list) else [value]
    if not kind or not numbers or not all(isinstance(number, int | float) for number in numbers):
        return None
    if kind == "logits":
        return _softmax(numbers) if len(numbers) > 1 else [1 / (1 + math.exp(-max(-700.0, min(700.0, numbers[0]))))]
    return [float(number) for number in numbers]


def _softmax(numbers: Sequence[float]) -> list[float]:
    highest = max(numbers)
    powers = [math.exp(number - highest) for number in numbers]
    return [power / sum(powers) for power in powers]


def _best_first(classes: list[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(classes, key=lambda pair: -pair[1]))


def _has_pictures(given: Given) -> bool:
    return bool(given.pictures) or any(given.thumbnails)


def _inputs(given: Given) -> list[dict[str, Any]]:
    """The values of tabular instances, to stand beside their predictions; long ones are not repeated."""
    if _has_pictures(given):
        return []
    columns: dict[str, list[Any]] = {}
    for name, tensor in given.tensors.items():
        # An instance of one text is that text, not an array.
        if getattr(tensor[0], "size", 1) > _LONGEST_INPUT:
            return []
        columns[name] = [_shown(item) for item in tensor[:MOST_ROWS]]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _shown(item: Any) -> Any:
    plain = item.tolist() if hasattr(item, "tolist") else item
    while isinstance(plain, list) and len(plain) == 1:
        plain = plain[0]
    if isinstance(plain, list):
        return [_text(each) for each in plain]
    return _text(plain)


def _text(item: Any) -> Any:
    if isinstance(item, bytes):
        return item.decode("utf-8", "replace")
    return float(f"{item:.7g}") if isinstance(item, float) and math.isfinite(item) else item
