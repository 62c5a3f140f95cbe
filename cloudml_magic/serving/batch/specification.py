"""What the process is told: which model, which instances, and where everything is written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SPECIFICATION = "specification.json"
RESULTS = "prediction.results-00000-of-00001"
ERRORS = "prediction.errors_stats-00000-of-00001"


@dataclass(frozen=True, slots=True)
class InputObject:
    """An object of a bucket and what the disk said of it when the job began."""

    address: str
    path: Path
    size: int
    modified_ns: int

    @property
    def is_compressed(self) -> bool:
        return self.address.endswith(".gz")


@dataclass(frozen=True, slots=True)
class Specification:
    """`format` is one of Vertex AI's names or `text`; `state` is the process's own folder, `buckets` that of all.

    With `predictions_only` a line of the results is the prediction without its instance, an object by output. `tag` is
    in the names of unfinished outputs, where other batches may write to the same folder.
    """

    model: str
    model_folder: Path
    engine_folder: Path | None
    format: str
    inputs: tuple[InputObject, ...]
    buckets: Path
    output: Path
    output_address: str
    state: Path
    batch_size: int | None = None
    workers: int = 1
    signature: str | None = None
    predictions_only: bool = False
    tag: str = ""

    @property
    def is_compressed(self) -> bool:
        """Whether every object is, whatever its name says."""
        return self.format == "tf-record-gzip"


def read_specification(path: Path) -> Specification:
    """The specification that a file holds."""
    document: dict[str, Any] = json.loads(path.read_bytes())
    inputs = tuple(
        InputObject(each["address"], Path(each["path"]), each["size"], each["modified_ns"])
        for each in document.pop("inputs")
    )
    folders = ("model_folder", "engine_folder", "buckets", "output", "state")
    paths = {name: Path(document[name]) if document[name] else None for name in folders}
    return Specification(**{**document, **paths, "inputs": inputs})
