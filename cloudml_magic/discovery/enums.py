"""The numbers behind enum names, where a document's order does not say them.

Documents list names only; clients such as the Vertex SDK send numbers.
An enum is known by its first name; one that is not listed here counts from zero in the document's order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_NUMBERS: dict[str, dict[str, int]] = {
    "ACCELERATOR_TYPE_UNSPECIFIED": {
        "ACCELERATOR_TYPE_UNSPECIFIED": 0,
        "NVIDIA_TESLA_K80": 1,
        "NVIDIA_TESLA_P100": 2,
        "NVIDIA_TESLA_V100": 3,
        "NVIDIA_TESLA_P4": 4,
        "NVIDIA_TESLA_T4": 5,
        "TPU_V2": 6,
        "TPU_V3": 7,
        "NVIDIA_TESLA_A100": 8,
        "NVIDIA_A100_80GB": 9,
        "TPU_V4_POD": 10,
        "NVIDIA_L4": 11,
        "TPU_V5_LITEPOD": 12,
        "NVIDIA_H100_80GB": 13,
        "NVIDIA_H100_MEGA_80GB": 14,
        "NVIDIA_H200_141GB": 15,
        "NVIDIA_B200": 16,
        "NVIDIA_GB200": 17,
        "NVIDIA_RTX_PRO_6000": 18,
    },
    "STRATEGY_UNSPECIFIED": {
        "STRATEGY_UNSPECIFIED": 0,
        "ON_DEMAND": 1,
        "LOW_COST": 2,
        "STANDARD": 3,
        "SPOT": 4,
        "FLEX_START": 6,
    },
}


def numbers(names: Sequence[str]) -> Mapping[int, str]:
    """Number → name of one enum."""
    known = _NUMBERS.get(names[0]) if names else None
    if known is None:
        return dict(enumerate(names))
    return {number: name for name, number in known.items()}


def named(names: Sequence[str], value: Any) -> str | None:
    """The name that a client meant by a name in any case or by a number; None if there is none."""
    if isinstance(value, str):
        if value in names:
            return value
        upper = value.upper()
        return upper if upper in names else None
    if isinstance(value, int) and not isinstance(value, bool):
        return numbers(names).get(value)
    return None
