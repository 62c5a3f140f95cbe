"""The names of a model's classes: as given, by a variable's name, or as a Keras dataset of the notebook knows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Labels = Sequence[str] | Mapping[str, Sequence[str]] | str | None
_OWN_NAMES = "class_names"
# Numbers of another kind are no classes, however many there are.
_OF_CLASSES = ("softmax", "sigmoid", "logits")


def labels_of(
    given: Labels,
    captured: Mapping[str, Any],
    outputs: Mapping[str, Any],
    activations: Mapping[str, str],
    warn: Callable[[str], None],
) -> dict[str, list[str]]:
    """The labels by output; none where their number fits no output, which `warn` is told if they were asked for."""
    if isinstance(given, Mapping):
        return _by_output(given, outputs, warn)
    names = _names(given, captured, warn) if given is not None else None
    if names is None:
        found = labels_of_datasets(captured)
        classes = {name: output for name, output in outputs.items() if activations.get(name) in _OF_CLASSES}
        return _fitting(found, classes) if given is None and found else {}
    if given is not None and _has_twice(names, warn):
        return {}
    fitting = _fitting(names, outputs)
    if not fitting:
        sizes = " and ".join(str(size) for size in (_classes(output) for output in outputs.values()) if size)
        warn(f"There are {len(names)} labels, but the model has {sizes or 'no'} classes to name.")
    return fitting


def _has_twice(names: Sequence[str], warn: Callable[[str], None]) -> bool:
    """Whether a label names two classes, which an answer could not tell apart."""
    twice = next((name for index, name in enumerate(names) if name in names[:index]), None)
    if twice is not None:
        warn(f"The label {twice!r} is given twice.")
    return twice is not None


def _by_output(
    given: Mapping[str, Sequence[str]], outputs: Mapping[str, Any], warn: Callable[[str], None]
) -> dict[str, list[str]]:
    fitting = {}
    for output, names in given.items():
        if _has_twice(names, warn):
            continue
        if output in outputs and _fits(len(names), outputs[output]):
            fitting[output] = [str(name) for name in names]
        else:
            warn(f"The {len(names)} labels of {output!r} fit no output of the model.")
    return fitting


def _names(given: Sequence[str] | str, captured: Mapping[str, Any], warn: Callable[[str], None]) -> list[str] | None:
    if not isinstance(given, str):
        return [str(name) for name in given]
    value = captured.get(given)
    names = as_names(value if not hasattr(value, _OWN_NAMES) else getattr(value, _OWN_NAMES))
    if names is None:
        if given in captured:
            warn(f"--labels {given}: the variable is {type(value).__name__}, not a list of names.")
        else:
            warn(f"--labels {given}: there is no such variable.")
    return names


def as_names(value: Any) -> list[str] | None:
    """A list, tuple or array of texts as labels; None for anything else."""
    tolist = getattr(value, "tolist", None)
    items = tolist() if tolist is not None and not isinstance(value, type) else value
    if not isinstance(items, (list, tuple)) or not items:
        return None
    names = [item.decode("utf-8", "replace") if isinstance(item, bytes) else item for item in items]
    return [str(name) for name in names] if all(isinstance(name, str) for name in names) else None


def labels_of_datasets(captured: Mapping[str, Any]) -> list[str] | None:
    """What the datasets of the module agree on."""
    found = [as_names(captured.get(_OWN_NAMES))]
    for value in captured.values():
        if not isinstance(value, type) and type(value).__module__.startswith(("tensorflow", "keras", "grain")):
            found.append(as_names(getattr(value, _OWN_NAMES, None)))
    known = [names for names in found if names]
    return known[0] if known and all(names == known[0] for names in known) else None


def _fitting(names: Sequence[str], outputs: Mapping[str, Any]) -> dict[str, list[str]]:
    return {output: list(names) for output, spec in outputs.items() if _fits(len(names), spec)}


def _fits(count: int, output: Any) -> bool:
    # One probability tells two classes apart.
    return count == _classes(output) or (count == 2 and _classes(output) == 1)


def _classes(output: Any) -> int | None:
    shape = output["shape"]
    return shape[1] if len(shape) == 2 else None
