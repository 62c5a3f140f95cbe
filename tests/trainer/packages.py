"""Builds packages from cells and runs them as a container would, without a platform."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudml_magic.packaging import boot_command, build_trainer
from cloudml_magic.records import SourceFile, SourceMapEntry, TrainerPackage


def package(*cells: str, requirements: tuple[str, ...] = (), files: tuple[SourceFile, ...] = ()) -> TrainerPackage:
    """A package of whole cells, `In [1]`, `In [2]`, …"""
    module, entries = "", []
    for number, text in enumerate(cells, 1):
        first = module.count("\n") + 1
        module += text.rstrip("\n") + "\n"
        entries.append(SourceMapEntry(first=first, last=module.count("\n"), cell=f"In [{number}]", cell_line=1))
    texts = {f"In [{number}]": text for number, text in enumerate(cells, 1)}
    return build_trainer("demo", module, entries, texts, source_files=files, requirements=requirements)


@dataclass
class Ran:
    """How a run of a package went."""

    code: int
    out: str
    err: str
    events: list[dict[str, Any]]
    folder: Path

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["kind"] == kind]

    @property
    def failure(self) -> dict[str, Any]:
        assert self.of("failure"), self.err
        return self.of("failure")[0]


def prepared(built: TrainerPackage, folder: Path, *arguments: str, **told: Any) -> tuple[list[str], dict[str, str]]:
    """Command and environment of a run."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / built.file_name).write_bytes(built.content)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {
        "AIP_MODEL_DIR": f"{folder}/job/model/",
        "CLOUDML_JOB": json.dumps({"name": "demo", **told}),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    _, *boot = boot_command()
    return [sys.executable, *boot, str(folder / built.file_name), built.sha256, built.module, *arguments], environment


def run(built: TrainerPackage, folder: Path, *arguments: str, env: dict[str, str] | None = None, **told: Any) -> Ran:
    """Runs the package in a process of its own."""
    command, environment = prepared(built, folder, *arguments, **told)
    done = subprocess.run(
        command, env=environment | (env or {}), cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr, events(folder), folder / "job")


def events(folder: Path) -> list[dict[str, Any]]:
    file = folder / "job" / "events.jsonl"
    return [json.loads(line) for line in file.read_bytes().splitlines()] if file.exists() else []
