"""What the environment tells a serving process (docs/serving.md has the table)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cloudml_magic.errors import CloudMLError

_PREFIX = "CLOUDML_SERVING_"


@dataclass(frozen=True, slots=True)
class ServingSettings:
    """Which model, under which names, and where to listen."""

    source: str
    model: str
    version: str
    host: str
    port: int
    socket: str | None
    health_route: str
    predict_route: str
    engine_folder: Path | None
    ends_with_input: bool
    names_outputs: bool = False

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> ServingSettings:
        """Reads the variables; what is missing or no number is an error of its own."""
        source = environment.get("AIP_STORAGE_URI", "").rstrip("/")
        if not source:
            raise CloudMLError(
                "no-model-named",
                "No model is named.",
                why="The variable AIP_STORAGE_URI is not set.",
                next="Set it to the model folder: a path, or gs://….",
            )
        model = environment.get(f"{_PREFIX}MODEL") or source.rpartition("/")[2] or "model"
        engine = environment.get(f"{_PREFIX}ENGINE")
        return cls(
            source=source,
            model=model,
            version=environment.get(f"{_PREFIX}VERSION") or "1",
            host=environment.get(f"{_PREFIX}HOST") or ("0.0.0.0" if environment.get("AIP_MODE") else "127.0.0.1"),
            port=_port(environment.get("AIP_HTTP_PORT") or "8080"),
            socket=environment.get(f"{_PREFIX}SOCKET") or None,
            health_route=environment.get("AIP_HEALTH_ROUTE") or f"/v1/models/{model}",
            predict_route=environment.get("AIP_PREDICT_ROUTE") or f"/v1/models/{model}:predict",
            engine_folder=Path(engine) if engine else None,
            ends_with_input=environment.get(f"{_PREFIX}PARENT") == "stdin",
            names_outputs=environment.get(f"{_PREFIX}NAMES_OUTPUTS") == "1",
        )


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) < 65536:
        return int(text)
    raise CloudMLError(
        "bad-port",
        f"AIP_HTTP_PORT is {text!r}, which is no port.",
        next="Set it to a number from 1 to 65535, or to 0 for any free port.",
    )
