"""What the job was told (docs/job_events.md) and the folder that it reports to, read from the environment once."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class JobFolder:
    """The job's folder as a path, and what CLOUDML_JOB says."""

    root: str | None
    name: str = "job"
    model: str | None = None
    tensorboard: bool = False
    resume: bool = False
    export: dict[str, Any] = field(default_factory=dict)
    shipped: dict[str, str] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)
    stage: bool = False
    weights: dict[str, str] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def path(self, *parts: str) -> str | None:
        """A path inside the folder; nothing without a folder."""
        return None if self.root is None else os.path.join(self.root, *parts)

    @classmethod
    def of_environment(cls) -> JobFolder:
        model_folder = os.environ.get("AIP_MODEL_DIR", "")
        told: dict[str, Any] = json.loads(os.environ.get("CLOUDML_JOB") or "{}")
        return cls(
            root=os.path.dirname(mounted(model_folder).rstrip("/")) if model_folder else None,
            name=told.get("name") or "job",
            model=told.get("model"),
            tensorboard=bool(told.get("tensorboard")),
            resume=bool(told.get("resume")),
            export=told.get("export") or {},
            shipped=told.get("shipped") or {},
            data=told.get("data") or {},
            stage=bool(told.get("stage")),
            weights=told.get("weights") or {},
            cells=told.get("cells") or {},
            warnings=tuple(told.get("warnings") or ()),
        )


def mounted(address: str) -> str:
    """The path under which a container sees a gs:// address; any other address is a path already."""
    return "/gcs/" + address[len("gs://") :] if address.startswith("gs://") else address
