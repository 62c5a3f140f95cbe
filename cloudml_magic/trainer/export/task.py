"""What kind of answer a model gives, from its last layers and the loss that it was trained with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Layers that change nothing about what the numbers mean.
_TRANSPARENT = ("Dropout", "Flatten", "Identity", "Reshape")
_CLASSES, _YES_OR_NO = "categorical", "binary"


def activations_of(model: Any, outputs: Mapping[str, Any]) -> dict[str, str]:
    """Per output the activation of its last layer, or `logits` where the loss was told `from_logits`."""
    found = {}
    layers = _last_layers(model, list(outputs))
    for index, name in enumerate(outputs):
        activation = _activation(layers.get(name))
        if activation in (None, "linear") and _from_logits(_loss(model, name, index)):
            activation = "logits"
        if activation is not None:
            found[name] = activation
    return found


def task_of(model: Any, outputs: Mapping[str, Any], activations: Mapping[str, str]) -> str:
    """The task that all outputs share, else `other`."""
    tasks = {
        _task(spec["shape"], activations.get(name), _kind(_loss(model, name, index)))
        for index, (name, spec) in enumerate(outputs.items())
    }
    return tasks.pop() if len(tasks) == 1 else "other"


def _task(shape: list[int | None], activation: str | None, loss: str | None) -> str:
    if len(shape) != 2:
        return "regression" if len(shape) == 1 and loss == "distance" else "other"
    size = shape[1]
    if activation == "softmax" or (loss == _CLASSES and size != 1):
        return "classification"
    if loss == _YES_OR_NO or (activation == "sigmoid" and loss is None):
        return "binary" if size == 1 else "multilabel"
    return "regression" if loss == "distance" else "other"


# --- the last layer of an output ---


def _last_layers(model: Any, names: list[str]) -> dict[str, Any]:
    flat = _flat_outputs(model)
    if flat is None:
        last = _last_of(getattr(model, "layers", []))
        return {names[0]: last} if len(names) == 1 and last is not None else {}
    structure = getattr(model, "_outputs_struct", None)
    if isinstance(structure, dict):
        flat = list(structure.values())
    return {name: _layer_of(tensor) for name, tensor in zip(names, flat, strict=False)}


def _flat_outputs(model: Any) -> list[Any] | None:
    try:
        return list(model.outputs) or None
    except (AttributeError, TypeError, ValueError):
        return None


def _last_of(layers: list[Any]) -> Any:
    """The layer of a subclassed model that was made last; a guess, good for the usual head."""
    return layers[-1] if layers and hasattr(layers[-1], "activation") else None


def _layer_of(tensor: Any) -> Any:
    layer = tensor._keras_history.operation
    while type(layer).__name__ in _TRANSPARENT:
        inner = layer.input
        if isinstance(inner, (list, tuple, dict)):
            return None
        layer = inner._keras_history.operation
    nested = _flat_outputs(layer) if hasattr(layer, "layers") else None
    return _layer_of(nested[0]) if nested and len(nested) == 1 else layer


def _activation(layer: Any) -> str | None:
    if layer is None:
        return None
    if type(layer).__name__ in ("Softmax", "Sigmoid"):
        return type(layer).__name__.lower()
    return getattr(getattr(layer, "activation", None), "__name__", None)


# --- the loss of an output ---


def _loss(model: Any, name: str, index: int) -> Any:
    loss = getattr(model, "loss", None)
    if isinstance(loss, Mapping):
        return loss.get(name) or (next(iter(loss.values())) if len(loss) == 1 else None)
    if isinstance(loss, (list, tuple)):
        return loss[index] if index < len(loss) else None
    return loss


def _kind(loss: Any) -> str | None:
    """What a loss compares: classes, a yes or no, or distances; None where it is unknown."""
    name = _name(loss)
    if "categorical" in name:
        return _CLASSES
    if "binary" in name or name == "bce":
        return _YES_OR_NO
    distances = ("mean", "squared", "absolute", "huber", "logcosh", "poisson", "tweedie")
    if any(part in name for part in distances) or name in {"mse", "mae", "mape", "msle", "rmse"}:
        return "distance"
    return None


def _name(loss: Any) -> str:
    text = loss if isinstance(loss, str) else getattr(loss, "__name__", None) or type(loss).__name__
    return str(text).lower().replace("_", "")


def _from_logits(loss: Any) -> bool:
    keywords = getattr(loss, "_fn_kwargs", None) or {}
    return bool(getattr(loss, "from_logits", keywords.get("from_logits", False)))
