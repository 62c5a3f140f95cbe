"""What is true of the examples, as indices of the model's classes: from names, numbers of classes, or one-hot rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cloudml_magic.errors import CloudMLError

_NAMED = 8


def are_names(truths: Any) -> bool:
    """Whether the truth is given in words."""
    return bool(truths.dtype.kind in "OUS")


def labels_for(names: Sequence[str], known: Sequence[str], count: int) -> tuple[str, ...]:
    """What the model's classes are called: as is known of it, or else as the data says, in its order."""
    if known and len(known) != count:
        raise CloudMLError(
            "labels-do-not-fit",
            f"There are {len(known)} labels, but the model tells {count} classes apart.",
            next="Give one label for each class, in the order of the model's outputs: `--labels cat,dog`.",
        )
    if known:
        return tuple(known)
    if not names:
        return tuple(f"class {index}" for index in range(count))
    if len(names) != count:
        raise CloudMLError(
            "labels-do-not-fit",
            f"The data has {len(names)} classes ({_listed(names)}), but the model tells {count} apart.",
            why="Nothing says which of the model's outputs is which class.",
            next="Say what they are called, in the order of the model's outputs: `--labels cat,dog,bird`.",
        )
    return tuple(names)


def class_indices(truths: Any, labels: Sequence[str]) -> Any:
    """The index of each example's class; what is no class of the model is refused by name."""
    import numpy as np

    truths = np.asarray(truths)
    if are_names(truths):
        return _indices_of_names([_text(name) for name in truths.reshape(len(truths))], labels)
    if truths.ndim == 2 and truths.shape[1] > 1:
        return _indices_of_rows(truths, labels)
    numbers = truths.reshape(len(truths)).astype(np.float64)
    is_class = (numbers == np.floor(numbers)) & (numbers >= 0) & (numbers < len(labels))
    if not is_class.all():
        raise CloudMLError(
            "truth-is-no-class",
            f"The truth {numbers[~is_class][0]:g} is none of the model's {len(labels)} classes.",
            why=f"Classes are numbered from 0 to {len(labels) - 1}.",
            next="Give the numbers, or the names, of the classes that the model was trained on.",
        )
    return numbers.astype(np.int64)


def _indices_of_names(names: Sequence[str], labels: Sequence[str]) -> Any:
    import numpy as np

    places = {label: index for index, label in enumerate(labels)}
    strange = sorted({name for name in names if name not in places})
    if strange:
        raise CloudMLError(
            "truth-is-no-class",
            f"The data has classes that the model does not know: {_listed(strange)}.",
            why=f"The model's classes are {_listed(labels)}.",
            next="Rename them, leave them out, or say what the model's classes are called: `--labels cat,dog`.",
        )
    return np.array([places[name] for name in names], dtype=np.int64)


def _indices_of_rows(rows: Any, labels: Sequence[str]) -> Any:
    if rows.shape[1] != len(labels):
        raise CloudMLError(
            "truth-is-no-class",
            f"The truth has {rows.shape[1]} columns, but the model tells {len(labels)} classes apart.",
            next="Give one column for each class, or the numbers of the classes.",
        )
    if not (((rows == 0) | (rows == 1)).all() and (rows.sum(axis=1) == 1).all()):
        raise CloudMLError(
            "truth-is-no-class",
            "A row of the truth does not name exactly one class.",
            why="An evaluation counts examples that belong to one class each.",
            next="Give rows with a single 1, or evaluate each of several labels as a model of its own.",
        )
    return rows.argmax(axis=1)


def _text(name: Any) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
