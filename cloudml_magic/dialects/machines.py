"""Which machine a job asks for: short names of accelerators, the machine types that carry them, and valid counts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Accelerator, Machine

DEFAULT_MACHINE = "n1-standard-4"


@dataclass(frozen=True, slots=True)
class _Kind:
    """An accelerator: its name in the API, and for each count that exists the smallest machine that carries it."""

    api_name: str
    machines: dict[int, str]
    pattern: str

    def fits(self, machine_type: str) -> bool:
        return re.fullmatch(self.pattern, machine_type) is not None


def _n1(name: str, *counts: int) -> _Kind:
    return _Kind(name, {count: "n1-standard-8" if count < 4 else "n1-standard-16" for count in counts}, r"n1-.+")


_KINDS: dict[str, _Kind] = {
    "T4": _n1("NVIDIA_TESLA_T4", 1, 2, 4),
    "P4": _n1("NVIDIA_TESLA_P4", 1, 2, 4),
    "P100": _n1("NVIDIA_TESLA_P100", 1, 2, 4),
    "V100": _n1("NVIDIA_TESLA_V100", 1, 2, 4, 8),
    "L4": _Kind(
        "NVIDIA_L4",
        {1: "g2-standard-8", 2: "g2-standard-24", 4: "g2-standard-48", 8: "g2-standard-96"},
        r"g2-standard-\d+",
    ),
    "A100": _Kind("NVIDIA_TESLA_A100", {n: f"a2-highgpu-{n}g" for n in (1, 2, 4, 8)}, r"a2-(highgpu|megagpu)-\d+g"),
    "A100-80": _Kind("NVIDIA_A100_80GB", {n: f"a2-ultragpu-{n}g" for n in (1, 2, 4, 8)}, r"a2-ultragpu-\d+g"),
    "H100": _Kind("NVIDIA_H100_80GB", {n: f"a3-highgpu-{n}g" for n in (1, 2, 4, 8)}, r"a3-highgpu-\d+g"),
    "H200": _Kind("NVIDIA_H200_141GB", {8: "a3-ultragpu-8g"}, r"a3-ultragpu-8g"),
    "B200": _Kind("NVIDIA_B200", {8: "a4-highgpu-8g"}, r"a4-highgpu-8g"),
}


def parse_accelerator(text: str) -> Accelerator:
    """`T4`, `T4:2`: a kind and how many."""
    kind, _, count = text.partition(":")
    kind = kind.upper()
    if kind not in _KINDS:
        raise CloudMLError(
            "unknown-gpu",
            f"There is no GPU called {kind!r}.",
            next=f"Choose one of {', '.join(_KINDS)}, such as --gpu T4 or --gpu T4:2.",
        )
    number = int(count) if count.isascii() and count.isdigit() else (1 if not count else 0)
    allowed = _KINDS[kind].machines
    if number not in allowed:
        raise CloudMLError(
            "bad-gpu-count",
            f"No machine has {count!r} GPUs of kind {kind}.",
            next=f"{kind} comes in {', '.join(map(str, allowed))}: for example --gpu {kind}:{min(allowed)}.",
        )
    return Accelerator(kind, number)


def checked_machine(machine: Machine) -> Machine:
    """The machine, if its type may carry its accelerator."""
    accelerator = machine.accelerator
    if machine.machine_type is not None and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+){1,3}", machine.machine_type):
        raise CloudMLError(
            "bad-machine",
            f"{machine.machine_type!r} is no machine type.",
            next=f"Write it as Google does, such as --machine {DEFAULT_MACHINE}.",
        )
    if accelerator and machine.machine_type and not _KINDS[accelerator.kind].fits(machine.machine_type):
        fitting = _KINDS[accelerator.kind].machines[accelerator.count]
        raise CloudMLError(
            "machine-without-gpu",
            f"{machine.machine_type} cannot carry {accelerator.count} × {accelerator.kind}.",
            next=f"Leave --machine out, or say --machine {fitting}.",
        )
    return machine


def machine_type(machine: Machine) -> str:
    """The type that was asked for, or the smallest that carries the accelerator."""
    if machine.machine_type:
        return machine.machine_type
    if machine.accelerator:
        return _KINDS[machine.accelerator.kind].machines[machine.accelerator.count]
    return DEFAULT_MACHINE


def accelerator_type(accelerator: Accelerator) -> str:
    """The accelerator's name in the API."""
    return _KINDS[accelerator.kind].api_name


def asked_machine(machine: str | None, gpu: str | None, spot: bool = False) -> Machine:
    """The machine that a user's words ask for."""
    accelerator = parse_accelerator(gpu) if gpu and gpu.lower() != "none" else None
    return checked_machine(Machine(machine, accelerator, spot))
