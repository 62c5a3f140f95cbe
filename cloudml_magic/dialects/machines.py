"""From a user's words to a machine that exists, and from a machine to what the API calls it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cloudml_magic.catalogue import AcceleratorKind, MachineType, catalogue
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Accelerator, Machine

DEFAULT_MACHINE = "n1-standard-4"
_STANDARD: Mapping[str, Any] = {}
_TOO_SMALL_TO_TRAIN = "n1-standard-2"


def parse_accelerator(text: str) -> Accelerator:
    """`T4`, `T4:2`: a kind and how many; without a number the fewest that there are."""
    name, _, count = text.partition(":")
    kind = catalogue().accelerator(name)
    if kind is None:
        known = list(catalogue().accelerators)
        close = difflib.get_close_matches(name.upper(), known, n=1)
        raise CloudMLError(
            "unknown-gpu",
            f"There is no GPU or TPU called {name.upper()!r}.",
            next="".join(f"Did you mean {found}? " for found in close)
            + f"Choose one of {', '.join(known)}, such as --gpu T4 or --gpu T4:2.",
        )
    number = int(count) if count.isascii() and count.isdigit() else (1 if not count else 0)
    if not count and kind.is_tpu:
        number = min(kind.usual)
    if number not in kind.usual:
        what = "TPU chips" if kind.is_tpu else "GPUs"
        raise CloudMLError(
            "bad-gpu-count",
            f"No machine has {count!r} {what} of kind {kind.name}.",
            next=f"{kind.name} comes in {', '.join(map(str, kind.usual))}: for example"
            f" --gpu {kind.name}:{min(kind.usual)}.",
        )
    return Accelerator(kind.name, number)


def checked_machine(machine: Machine) -> Machine:
    """The machine, if its type exists and may carry its accelerator; with the accelerator that its type brings."""
    if machine.machine_type is None:
        return machine
    found = _known_type(machine.machine_type)
    if machine.accelerator is None:
        return replace(machine, accelerator=_brought_by(machine.machine_type))
    kind = _kind(machine.accelerator)
    if machine.accelerator.count not in kind.counts_on(found):
        raise _mismatch(found, kind, machine.accelerator.count)
    return machine


def check_for_training(machine: Machine) -> None:
    """Refuses what may serve but not train."""
    if machine.machine_type == _TOO_SMALL_TO_TRAIN:
        raise CloudMLError(
            "machine-too-small",
            f"{machine.machine_type} is too small for training.",
            next=f"The smallest of its kind are {DEFAULT_MACHINE} and n1-highmem-2.",
        )


def machine_type(machine: Machine) -> str:
    """The type that was asked for, or the smallest that carries the accelerator."""
    if machine.machine_type:
        return machine.machine_type
    if machine.accelerator:
        return _kind(machine.accelerator).usual[machine.accelerator.count]
    return DEFAULT_MACHINE


def machine_title(machine: Machine) -> str:
    """`2 × T4 · n1-standard-8`."""
    accelerator = machine.accelerator
    words = [f"{accelerator.count} × {accelerator.kind}"] if accelerator else []
    return " · ".join([*words, machine_type(machine)])


def machine_spec(machine: Machine) -> dict[str, Any]:
    """A `MachineSpec` of the API; some TPUs are told by the machine type and a topology alone."""
    specification: dict[str, Any] = {"machineType": machine_type(machine)}
    if machine.accelerator is None:
        return specification
    kind = _kind(machine.accelerator)
    if kind.api_name:
        specification |= {"acceleratorType": kind.api_name, "acceleratorCount": machine.accelerator.count}
    if kind.topologies:
        specification["tpuTopology"] = kind.topologies[machine.accelerator.count]
    return specification


def read_machine(specification: Mapping[str, Any], scheduling: Mapping[str, Any] = _STANDARD) -> Machine | None:
    """The machine of a `MachineSpec`, with what its type brings; an accelerator may be one that we do not know."""
    name = str(specification.get("machineType") or "")
    if not name:
        return None
    api_name, count = specification.get("acceleratorType"), int(specification.get("acceleratorCount") or 0)
    if api_name and count:
        kind = catalogue().accelerator(str(api_name))
        short = kind.name if kind else re.sub(r"^NVIDIA_(TESLA_)?", "", str(api_name)).replace("_", "-")
        accelerator: Accelerator | None = Accelerator(short, count)
    else:
        brought = catalogue().built_in(name)
        accelerator = Accelerator(brought[0][0].name, brought[0][1]) if len(brought) == 1 else None
    strategy = scheduling.get("strategy")
    return Machine(name, accelerator, spot=strategy == "SPOT", flexible=strategy == "FLEX_START")


def asked_machine(machine: str | None, gpu: str | None, *, spot: bool = False, flexible: bool = False) -> Machine:
    """The machine that a user's words ask for."""
    accelerator = parse_accelerator(gpu) if gpu and gpu.lower() != "none" else None
    found = checked_machine(Machine(machine, accelerator, spot, flexible))
    if flexible:
        _check_flexible(found)
    return found


def _check_flexible(machine: Machine) -> None:
    if machine.spot:
        raise CloudMLError("bad-option", "--spot and --flex-start exclude each other.", next="Leave one of them out.")
    if machine.accelerator is None or not _kind(machine.accelerator).has_flexible_start:
        kinds = [name for name, kind in catalogue().accelerators.items() if kind.has_flexible_start]
        what = machine.accelerator.kind if machine.accelerator else "A machine without a GPU"
        raise CloudMLError(
            "no-flexible-start",
            f"{what} has no flexible start.",
            why="Vertex AI queues jobs only for GPUs that are in short supply.",
            next=f"Leave --flex-start out, or say --gpu with one of {', '.join(kinds)}.",
        )


def _kind(accelerator: Accelerator) -> AcceleratorKind:
    return catalogue().accelerators[accelerator.kind]


def _known_type(name: str) -> MachineType:
    """The type of this name; one of a family that the catalogue does not know may be newer than it."""
    known = catalogue().machine_types.get(name)
    if known is not None:
        return known
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+){1,3}", name):
        raise CloudMLError(
            "bad-machine",
            f"{name!r} is no machine type.",
            next=f"Write it as Google does, such as --machine {DEFAULT_MACHINE}.",
        )
    if nearest := catalogue().nearest(name):
        raise CloudMLError(
            "unknown-machine",
            f"There is no machine type {name}.",
            next=f"The nearest are {_enumerated(nearest[:6])}.",
        )
    return MachineType(name, None, None)


def _brought_by(machine_type: str) -> Accelerator | None:
    brought = catalogue().built_in(machine_type)
    if len(brought) > 1:
        raise CloudMLError(
            "accelerator-not-named",
            f"{machine_type} does not say which accelerator it has.",
            next=f"Add {' or '.join(f'--gpu {kind.name}:{count}' for kind, count in brought)}.",
        )
    return Accelerator(brought[0][0].name, brought[0][1]) if brought else None


def _mismatch(machine: MachineType, kind: AcceleratorKind, count: int) -> CloudMLError:
    counts = kind.counts_on(machine)
    brought = [f"{number} × {other.name}" for other, number in catalogue().built_in(machine.name)]
    if brought:
        why = f"It always has {' or '.join(brought)}."
    elif counts:
        why = f"It carries {_enumerated([str(number) for number in counts], 'or')} × {kind.name}."
    elif kind.on_n1:
        why = f"{kind.name} is attached to n1 machines."
    else:
        why = f"{kind.name} is built into machines of its own."
    choices = "Leave --machine out, or say"
    if counts and not brought:
        choices = f"Say --gpu {kind.name}:{counts[0]}, or"
    return CloudMLError(
        "machine-without-gpu",
        f"{machine.name} cannot carry {count} × {kind.name}.",
        why=why,
        next=f"{choices} --machine {kind.usual[count]}.",
    )


def _enumerated(words: list[str], conjunction: str = "and") -> str:
    return f" {conjunction} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
