"""Shapes that do not fit: what was given, what the model takes, and the smallest change."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Shape, TensorSpec


def with_batch(spec: TensorSpec, array: Any) -> Any:
    """Adds the batch dimension where one instance was given without it."""
    return array[None] if fits(spec.shape[1:], array.shape) and not fits(spec.shape, array.shape) else array


def fits(wanted: Shape, given: Sequence[int]) -> bool:
    """Whether a shape is one that the model takes."""
    return len(wanted) == len(given) and all(
        size is None or size == number for size, number in zip(wanted, given, strict=True)
    )


def check_shape(spec: TensorSpec, given: tuple[int, ...]) -> None:
    """Refuses a shape that the input does not take, and says the smallest change."""
    # A SavedModel from elsewhere may leave even the number of dimensions open.
    if not spec.shape or fits(spec.shape, given):
        return
    raise CloudMLError(
        "wrong-shape",
        f"`{spec.name}` was given with shape {shape_text(given)}.",
        why=f"The model takes {spec.dtype} {shape_text(spec.shape)}, the number of instances first.",
        next=_smallest_change(spec.shape, given),
    )


def shape_text(shape: Shape) -> str:
    """`[?, 28, 28]`."""
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"


def _smallest_change(wanted: Shape, given: tuple[int, ...]) -> str:
    extra = len(given) - len(wanted)
    same_size = None not in wanted[1:] and len(given) > 1 and prod(given[1:]) == prod(size or 0 for size in wanted[1:])
    if extra > 0 and fits(wanted, given[extra:]) and prod(given[:extra]) == 1:
        return f"{_dimensions(extra)} too many: pass `x` instead of `{'[' * extra}x{']' * extra}`."
    if extra == 1 and fits(wanted, given[:-1]) and given[-1] == 1:
        return "One dimension too many at the end: pass `x[..., 0]` instead of `x`."
    if extra == -1 and fits(wanted[1:], given):
        return "One dimension too few: pass `[x]` instead of `x`."
    if extra == -1 and wanted[-1] == 1 and fits(wanted[:-1], given):
        return "One dimension too few: pass `x[..., None]` instead of `x`."
    if same_size:
        return f"It has the right number of values: pass `x.reshape({(-1, *wanted[1:])})` instead of `x`."
    if extra:
        return f"{_dimensions(abs(extra))} too {'many' if extra > 0 else 'few'}."
    differing = [
        f"dimension {index} is {number} and must be {size}"
        for index, (size, number) in enumerate(zip(wanted, given, strict=True))
        if size not in (None, number)
    ]
    return "; ".join(differing).capitalize() + "."


def _dimensions(count: int) -> str:
    return "One dimension" if count == 1 else f"{count} dimensions"
