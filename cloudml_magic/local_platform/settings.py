"""What can be set about a local platform, read from the environment of whoever starts it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from cloudml_magic.errors import CloudMLError

PROJECT = "local"
PROJECT_NUMBER = "1"
REGION = "us-central1"
BUCKET = "cloudml-local"
PREFIX = "CLOUDML_PLATFORM_"


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """Each field is also an environment variable: `CLOUDML_PLATFORM_CPU_JOBS` and so on.

    `cpu_jobs` and `gpu_jobs` say how many jobs run at once, without GPUs and on each GPU; None means the platform's
    own choice. A serving process may hold `predictor_memory_mb` (None: half of this machine's), sleeps after
    `predictor_idle_seconds` without a request, and uses a certified fast engine unless `fast_engine` is off.
    """

    cpu_jobs: int | None = None
    gpu_jobs: int = 1
    spare: bool = True
    spare_idle_seconds: float = 600.0
    idle_seconds: float = 86400.0
    port: int = 0
    predictor_memory_mb: int | None = None
    predictor_idle_seconds: float = 900.0
    predict_limit_bytes: int = 1_500_000
    fast_engine: bool = True

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> PlatformSettings:
        """The settings that the environment names, the defaults for the others."""
        environment = os.environ if environment is None else environment
        chosen: dict[str, Any] = {}
        for field in fields(cls):
            text = environment.get(PREFIX + field.name.upper(), "").strip()
            if text:
                chosen[field.name] = _read(field.name, str(field.type), text)
        return cls(**chosen)

    def as_json(self) -> str:
        """What a starter hands to the server's process."""
        return json.dumps(asdict(self))


def _read(name: str, kind: str, text: str) -> Any:
    try:
        if kind == "bool":
            return {
                "1": True,
                "true": True,
                "yes": True,
                "on": True,
                "0": False,
                "false": False,
                "no": False,
                "off": False,
            }[text.lower()]
        number = float(text) if kind == "float" else int(text)
        if (
            not 0 <= number < 1e12
            or (name == "port" and number > 65535)
            or (name.endswith(("_jobs", "_mb")) and number < 1)
        ):
            raise ValueError
        return number
    except (ValueError, KeyError):
        raise CloudMLError(
            "platform-setting-unreadable",
            f"{PREFIX}{name.upper()} is {text!r}, which is no {'yes or no' if kind == 'bool' else 'number that fits'}.",
            next=f"Set it to another value, or unset it for the default: unset {PREFIX}{name.upper()}",
        ) from None
