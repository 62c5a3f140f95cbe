"""Finds the device that Keras computes on, and reports it once."""

from __future__ import annotations

import platform
import sys
from collections import Counter
from typing import Any

from .reporting import EventFile

_reported: list[EventFile] = []


def report_device(events: EventFile | None) -> None:
    """Writes the `device` event, once per job and only if Keras was used."""
    if events is None or events in _reported or "keras" not in sys.modules:
        return
    _reported.append(events)
    try:
        name, kind, count = _device(sys.modules["keras"].backend.backend())
    except Exception as problem:
        print(f"The device could not be found out: {problem}", file=sys.stderr)
        return
    events.write("device", urgent=True, name=name, type=kind, count=count)


def _device(backend: str) -> tuple[str, str, int]:
    find = {"tensorflow": _of_tensorflow, "jax": _of_jax, "torch": _of_torch}.get(backend)
    names = find() if find else []
    if not names:
        return "CPU", "cpu", 1
    (name, kind), count = Counter(names).most_common(1)[0]
    return name, kind, count


def _of_tensorflow() -> list[tuple[str, str]]:
    import tensorflow as tf

    found = []
    for device in tf.config.list_physical_devices("GPU"):
        details: dict[str, Any] = tf.config.experimental.get_device_details(device)
        found.append((str(details.get("device_name", "GPU")), "gpu"))
    return found + [("TPU", "tpu") for _ in tf.config.list_logical_devices("TPU")]


def _of_jax() -> list[tuple[str, str]]:
    import jax

    return [
        (str(device.device_kind), "tpu" if device.platform == "tpu" else "gpu")
        for device in jax.devices()
        if device.platform != "cpu"
    ]


def _of_torch() -> list[tuple[str, str]]:
    import torch

    if torch.cuda.is_available():
        return [(torch.cuda.get_device_name(index), "gpu") for index in range(torch.cuda.device_count())]
    if platform.system() == "Darwin" and torch.backends.mps.is_available():
        return [("Apple GPU", "gpu")]
    return []
