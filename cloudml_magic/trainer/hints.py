"""Turns common mistakes with Keras into what they mean, where the error's text leaves no doubt."""

from __future__ import annotations

import re
from collections.abc import Callable

Hint = tuple[str, "str | None"]


def hint_for(kind: str, text: str) -> Hint | None:
    """Message and advice, or nothing if the error is not one that is known for certain."""
    for pattern, hint in _HINTS:
        found = pattern.search(text)
        if found:
            return hint(found)
    return None


def _label_beyond_outputs(found: re.Match[str]) -> Hint:
    label, outputs = int(found["label"]), int(found["outputs"])
    if label < 0:
        return f"A label is {label}; labels count from 0.", "Make the labels 0, 1, 2, … before fit."
    return (
        f"The last layer has {outputs} outputs, the labels go up to {label}.",
        f"Give the last layer {label + 1} units, one per class.",
    )


def _label_beyond_unknown(found: re.Match[str]) -> Hint:
    label = int(found["label"])
    return (
        f"A label is {label}, the last layer has fewer outputs.",
        f"Give the last layer {label + 1} units, one per class.",
    )


def _wrong_width(found: re.Match[str]) -> Hint:
    return (
        f"The layer {found['layer']!r} takes {found['expected']} values in its last dimension,"
        f" its input has shape {found['shape']}.",
        "Look at the model's input shape and at the shape of the data.",
    )


def _wrong_rank(found: re.Match[str]) -> Hint:
    return (
        f"The layer {found['layer']!r} takes {found['expected']} dimensions, its input has {found['found']}:"
        f" shape {found['shape']}.",
        "Reshape the data, or look at the model's input shape.",
    )


def _wrong_target(found: re.Match[str]) -> Hint:
    return (
        f"The labels have shape {found['target']}, the model gives {found['output']}.",
        "Labels that are class numbers need a sparse loss, such as sparse_categorical_crossentropy.",
    )


def _undefined(found: re.Match[str]) -> Hint:
    name = found["name"]
    return (
        f"The name {name!r} is not defined in the job.",
        f"Run the cell that defines {name} before this one, or send its value along with --ship {name}.",
    )


def _no_tensorboard(found: re.Match[str]) -> Hint:
    return (
        "TensorBoard is not installed in the job.",
        "Add --requires tensorboard, or use --tensorboard in place of the callback.",
    )


_LAYER = r"Input \d+(?: with name '[^']*')? of layer [\"'](?P<layer>[^\"']+)[\"'] is incompatible with the layer: "
_HINTS: list[tuple[re.Pattern[str], Callable[[re.Match[str]], Hint]]] = [
    (
        re.compile(r"label value of (?P<label>-?\d+) which is outside the valid range of \[0, (?P<outputs>\d+)\)"),
        _label_beyond_outputs,
    ),
    (re.compile(r"^Target (?P<label>\d+) is out of bounds"), _label_beyond_unknown),
    (
        re.compile(
            _LAYER + r"expected axis -1 of input shape to have value (?P<expected>\d+), but received input with shape"
            r" (?P<shape>\([^)]*\))"
        ),
        _wrong_width,
    ),
    (
        re.compile(
            _LAYER + r"expected (?:min_)?ndim=(?P<expected>\d+), found ndim=(?P<found>\d+)\. Full shape received:"
            r" (?P<shape>\([^)]*\))"
        ),
        _wrong_rank,
    ),
    (
        re.compile(
            r"Arguments `target` and `output` must have the same (?:shape|rank \(ndim\))\. Received:"
            r" target\.shape=(?P<target>\([^)]*\)),"
            r" output\.shape=(?P<output>\([^)]*\))"
        ),
        _wrong_target,
    ),
    (re.compile(r"^TensorBoard is not installed"), _no_tensorboard),
    (re.compile(r"^name '(?P<name>\w+)' is not defined"), _undefined),
]
