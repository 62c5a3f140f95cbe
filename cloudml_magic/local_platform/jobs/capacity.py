"""How many jobs run at once: one per GPU, or half the cores without; and which GPU is free."""

from __future__ import annotations

import os
from pathlib import Path

from cloudml_magic.local_platform.settings import PlatformSettings

_NVIDIA = Path("/proc/driver/nvidia/gpus")


class Capacity:
    """Slots of this machine; a slot is a GPU or a share of the cores."""

    def __init__(self, settings: PlatformSettings, gpus: int | None = None) -> None:
        self.gpus = _count_gpus() if gpus is None else gpus
        if self.gpus:
            self._slots = [index for index in range(self.gpus) for _ in range(settings.gpu_jobs)]
        else:
            self._slots = [-1] * (settings.cpu_jobs or max(1, (os.cpu_count() or 1) // 2))
        self._taken: dict[str, int] = {}

    def has_room(self) -> bool:
        return len(self._taken) < len(self._slots)

    def take(self, job_id: str) -> int | None:
        """Takes a slot; returns the job's GPU, or nothing without GPUs."""
        free = list(self._slots)
        for slot in self._taken.values():
            if slot in free:
                free.remove(slot)
        self._taken[job_id] = free[0] if free else -1
        return self._taken[job_id] if self._taken[job_id] >= 0 else None

    def give_back(self, job_id: str) -> None:
        self._taken.pop(job_id, None)


def _count_gpus() -> int:
    try:
        return len(list(_NVIDIA.iterdir()))
    except OSError:
        return 0
