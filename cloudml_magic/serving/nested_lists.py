"""Nested lists as they come in JSON and from users: their shape, their leaves, and where one of these lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import TensorSpec
from cloudml_magic.serving.shapes import shape_text

_DEEPEST = 64
_LISTS = {list, tuple}


def flattened(spec: TensorSpec, values: Any) -> tuple[tuple[int, ...], list[Any], set[type]]:
    """The shape of nested lists, their leaves in order, and the types of these."""
    if not isinstance(values, list | tuple):
        return (), [values], {type(values)}
    shape = [len(values)]
    level: Sequence[Any] = values
    while True:
        kinds = set(map(type, level))
        if not kinds & _LISTS:
            return tuple(shape), list(level), kinds
        if kinds - _LISTS:
            index = next(index for index, item in enumerate(level) if not isinstance(item, list | tuple))
            raise ragged(spec, f"{kind_word(level[index])} lies beside lists at {place_of(index, shape)}")
        lengths = set(map(len, level))
        if len(lengths) > 1:
            first = len(level[0])
            index = next(index for index, item in enumerate(level) if len(item) != first)
            raise ragged(
                spec,
                f"the list at {place_of(index, shape)} has {len(level[index])} values, and the first one has {first}",
            )
        shape.append(len(level[0]))
        if len(shape) > _DEEPEST:
            raise CloudMLError("too-deep", f"`{spec.name}` has more than {_DEEPEST} dimensions.", next="Send fewer.")
        level = list(chain.from_iterable(level))


def ragged(spec: TensorSpec, how: str) -> CloudMLError:
    """Says of lists that they make no array, and why."""
    return CloudMLError(
        "ragged",
        f"`{spec.name}` is no regular array: {how}.",
        why=f"The model takes {spec.dtype} {shape_text(spec.shape)}.",
        next="Make all parts equally long.",
    )


def place_of(index: int, shape: Sequence[int]) -> str:
    """`instance 2, [0, 5]`: where a flat index lies."""
    if not shape:
        return "its only place"
    first, *rest = (int(number) for number in np.unravel_index(index, tuple(shape)))
    return f"instance {first}" + (f", {rest}" if rest else "")


def kind_word(value: Any) -> str:
    """What a leaf is, in words that end well in a sentence."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if isinstance(value, bytes):
        return "bytes"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, Mapping):
        return "an object"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
