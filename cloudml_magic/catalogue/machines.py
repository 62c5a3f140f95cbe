"""Machine types and accelerators of Vertex AI, and which may go together: machines.json, read once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_TABLE = Path(__file__).with_name("machines.json")
_ATTACHABLE = "n1"


@dataclass(frozen=True, slots=True)
class MachineType:
    """A machine; its size is None where it is not published."""

    name: str
    vcpus: int | None
    memory_gib: float | None

    @property
    def family(self) -> str:
        """`n1` of `n1-standard-4`."""
        return self.name.partition("-")[0]

    @property
    def series(self) -> str:
        """`n1-standard` of `n1-standard-4`."""
        return self.name.rpartition("-")[0]


@dataclass(frozen=True, slots=True)
class AcceleratorKind:
    """A GPU or TPU: what the API calls it (nothing where the machine type says it), and what carries it.

    `usual` is the machine for each count where none is named. `regions` are those of Compute Engine; Vertex AI may
    offer it in fewer. `quota` is the ending of its metrics' names.
    """

    name: str
    api_name: str | None
    quota: str | None
    regions: tuple[str, ...]
    usual: Mapping[int, str]
    has_flexible_start: bool
    built_into: Mapping[str, int]
    on_n1: Mapping[int, tuple[int, ...]]
    topologies: Mapping[int, str]

    @property
    def is_tpu(self) -> bool:
        return self.name.startswith("TPU")

    def counts_on(self, machine: MachineType) -> tuple[int, ...]:
        """How many of them the machine may carry; empty if it carries none."""
        if machine.name in self.built_into:
            return (self.built_into[machine.name],)
        if machine.family != _ATTACHABLE or machine.vcpus is None:
            return ()
        return next((counts for most, counts in sorted(self.on_n1.items()) if machine.vcpus <= most), ())


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything in the table, and its date."""

    date: str
    machine_types: Mapping[str, MachineType]
    accelerators: Mapping[str, AcceleratorKind]

    @property
    def regions(self) -> list[str]:
        """Every region that offers an accelerator."""
        return sorted({region for kind in self.accelerators.values() for region in kind.regions})

    def accelerator(self, name: str) -> AcceleratorKind | None:
        """The accelerator of a short name (`T4`) or of the API's (`NVIDIA_TESLA_T4`), in any case."""
        wanted = name.upper()
        return self.accelerators.get(wanted) or next(
            (kind for kind in self.accelerators.values() if kind.api_name == wanted), None
        )

    def built_in(self, machine_type: str) -> list[tuple[AcceleratorKind, int]]:
        """What the machine type always has."""
        return [
            (kind, kind.built_into[machine_type])
            for kind in self.accelerators.values()
            if machine_type in kind.built_into
        ]

    def nearest(self, machine_type: str) -> list[str]:
        """The types of the same series that are closest in size, smallest first; all of the family if none is."""
        series, _, size = machine_type.rpartition("-")
        known = [found.name for found in self.machine_types.values() if found.series == series]
        if known and size.isdigit():
            return sorted(sorted(known, key=lambda name: abs(_size(name) - int(size)))[:2], key=_size)
        family = machine_type.partition("-")[0]
        return known or [found.name for found in self.machine_types.values() if found.family == family]


@cache
def catalogue() -> Catalogue:
    """The table that this package brings."""
    document = json.loads(_TABLE.read_text("utf-8"))
    return Catalogue(
        date=document["date"],
        machine_types={name: MachineType(name, *size) for name, size in document["machine_types"].items()},
        accelerators={name: _kind(name, body) for name, body in document["accelerators"].items()},
    )


def _kind(name: str, body: Mapping[str, Any]) -> AcceleratorKind:
    built_into: dict[str, int] = body.get("built_into", {})
    # The first that is listed with a count is its usual one.
    usual = {count: machine for machine, count in reversed(built_into.items())}
    usual |= {int(count): machine for count, machine in body.get("usual", {}).items()}
    return AcceleratorKind(
        name=name,
        api_name=body["api_name"],
        quota=body["quota"],
        regions=tuple(body["regions"]),
        usual=dict(sorted(usual.items())),
        has_flexible_start=body.get("flex_start", False),
        built_into=built_into,
        on_n1={int(most): tuple(counts) for most, counts in body.get("on_n1", {}).items()},
        topologies={int(count): topology for count, topology in body.get("topologies", {}).items()},
    )


def _size(name: str) -> int:
    return int(name.rpartition("-")[2])
