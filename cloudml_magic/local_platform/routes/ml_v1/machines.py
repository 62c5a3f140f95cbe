"""Scale tiers and machine types of the older API, as machines of today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Google has no K80 any more; a T4 is the smallest GPU of today.
_SMALL_GPU = "NVIDIA_TESLA_T4"


@dataclass(frozen=True, slots=True)
class MachineNeed:
    """A machine of today, and what is plugged into it."""

    machine_type: str
    accelerator: str | None = None
    count: int = 0

    def specification(self) -> dict[str, Any]:
        """As Vertex AI's machineSpec."""
        if not self.accelerator:
            return {"machineType": self.machine_type}
        return {
            "machineType": self.machine_type,
            "acceleratorType": self.accelerator,
            "acceleratorCount": self.count,
        }


@dataclass(frozen=True, slots=True)
class PoolNeed:
    """So many machines of one kind."""

    machine: MachineNeed
    count: int = 1


# Master, workers, parameter servers.
TIERS: Mapping[str, tuple[PoolNeed, ...]] = {
    "BASIC": (PoolNeed(MachineNeed("n1-standard-4")),),
    "STANDARD_1": (
        PoolNeed(MachineNeed("n1-highcpu-8")),
        PoolNeed(MachineNeed("n1-highcpu-8"), 4),
        PoolNeed(MachineNeed("n1-standard-4"), 3),
    ),
    "PREMIUM_1": (
        PoolNeed(MachineNeed("n1-highcpu-16")),
        PoolNeed(MachineNeed("n1-highcpu-16"), 19),
        PoolNeed(MachineNeed("n1-highmem-8"), 11),
    ),
    "BASIC_GPU": (PoolNeed(MachineNeed("n1-standard-8", _SMALL_GPU, 1)),),
    "BASIC_TPU": (PoolNeed(MachineNeed("n1-standard-4", "TPU_V2", 8)),),
}

_OLD_MACHINES: Mapping[str, MachineNeed] = {
    "standard": MachineNeed("n1-standard-4"),
    "large_model": MachineNeed("n1-highmem-8"),
    "complex_model_s": MachineNeed("n1-highcpu-8"),
    "complex_model_m": MachineNeed("n1-highcpu-16"),
    "complex_model_l": MachineNeed("n1-highcpu-32"),
    "standard_gpu": MachineNeed("n1-standard-8", _SMALL_GPU, 1),
    "complex_model_m_gpu": MachineNeed("n1-standard-16", _SMALL_GPU, 4),
    "complex_model_l_gpu": MachineNeed("n1-standard-32", _SMALL_GPU, 4),
    "standard_p100": MachineNeed("n1-standard-8", "NVIDIA_TESLA_P100", 1),
    "complex_model_m_p100": MachineNeed("n1-standard-16", "NVIDIA_TESLA_P100", 4),
    "standard_v100": MachineNeed("n1-standard-8", "NVIDIA_TESLA_V100", 1),
    "large_model_v100": MachineNeed("n1-highmem-8", "NVIDIA_TESLA_V100", 1),
    "complex_model_m_v100": MachineNeed("n1-standard-16", "NVIDIA_TESLA_V100", 4),
    "complex_model_l_v100": MachineNeed("n1-standard-32", "NVIDIA_TESLA_V100", 8),
    "cloud_tpu": MachineNeed("n1-standard-4", "TPU_V2", 8),
}


def machine_need(machine_type: str, accelerators: Mapping[str, Any] | None) -> MachineNeed:
    """What a machine type means today, with the accelerators that were asked for beside it."""
    known = _OLD_MACHINES.get(machine_type, MachineNeed(machine_type))
    count = int((accelerators or {}).get("count") or 0)
    if not accelerators or not count:
        return known
    kind = accelerators.get("type", "")
    return MachineNeed(known.machine_type, _SMALL_GPU if kind == "NVIDIA_TESLA_K80" else kind, count)
