"""Makes a job ready to start: compares its packages, finds what it lacks, and writes what each supervisor must know."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.images import check_image
from cloudml_magic.local_platform.jobs import overlay, packages
from cloudml_magic.local_platform.jobs.environment import job_environment, resolved_command, suits_spare
from cloudml_magic.local_platform.jobs.replicas import (
    OUTPUT_FOLDERS,
    Cluster,
    Replica,
    bucket_path,
    expanded,
    job_variables,
    output_folder,
    replicas_of,
)
from cloudml_magic.local_platform.jobs.restarts import emptied, restart_note
from cloudml_magic.local_platform.jobs.supervision import assignment
from cloudml_magic.local_platform.settings import PROJECT_NUMBER
from cloudml_magic.places import PlatformPlaces


@dataclass(frozen=True, slots=True)
class PreparedJob:
    """What to start: one assignment per replica, the chief first."""

    assignments: list[tuple[str, dict[str, Any]]]
    suits_spare: bool
    backend: str | None
    note: str


class Preparation:
    """Prepares jobs of one platform."""

    def __init__(self, places: PlatformPlaces, buckets: Path, plain: Mapping[str, str], grace_seconds: float) -> None:
        self._places = places
        self._buckets = buckets
        self._plain = plain
        self._grace_seconds = grace_seconds

    def check(self, body: Mapping[str, Any]) -> None:
        """Refuses, in Google's shape, what could never run here."""
        replicas = replicas_of(body)
        for replica in replicas:
            check_image(replica.image)
        output_folder(body, self._buckets)
        packages.check_addresses(packages.foreign_packages(replicas), self._buckets)

    def pin(self, body: Mapping[str, Any], job_folder: Path) -> None:
        """Records the job's packages as they are now."""
        job_folder.mkdir(parents=True, exist_ok=True)
        addresses = packages.package_addresses(replicas_of(body))
        present = [address for address in addresses if bucket_path(address, self._buckets).is_file()]
        packages.pin(present, self._buckets, job_folder)

    def prepare(
        self, job_id: str, body: Mapping[str, Any], gpu: int | None, backend: str, say: Callable[[str], None]
    ) -> PreparedJob:
        """Everything before the start; PreparationError says why a job cannot."""
        job_folder = self._places.jobs / job_id
        replicas = replicas_of(body)
        digests = packages.compare(self._buckets, job_folder)
        paths = self._package_paths(replicas, digests)
        required = [
            requirement
            for address in digests
            for requirement in overlay.requirements_of(bucket_path(address, self._buckets))
        ]
        lacking = overlay.missing(required)
        added = None
        if lacking:
            say(f"Installing {', '.join(lacking)}")
            added = overlay.overlay_for(required, self._places.overlays)
        note = _device_note(body, gpu)
        notes = [
            text
            for text in (restart_note(job_folder), note, *{check_image(replica.image): None for replica in replicas})
            if text
        ]
        cluster = Cluster(replicas)
        folder = output_folder(body, self._buckets)
        if folder is not None:
            # A mounted bucket lets a job write there at once; empty folders are no objects.
            for name in OUTPUT_FOLDERS.values():
                (folder / name).mkdir(parents=True, exist_ok=True)
        assignments = []
        for replica in replicas:
            variables = job_variables(body, job_id, PROJECT_NUMBER, self._buckets, cluster, replica)
            if gpu is not None:
                # Frameworks read it when they first compute, so that it also reaches a warm spare in time.
                variables["CUDA_VISIBLE_DEVICES"] = str(gpu)
            told = self._assignment(job_id, body, replica, variables, [*paths, *([added] if added else [])], notes)
            assignments.append((replica.name, told))
        chief = replicas[0]
        suits = len(replicas) == 1 and added is None and suits_spare(chief.variables, self._plain, backend)
        command = assignments[0][1]["command"]
        suits = suits and len(command) > 2 and command[1] in ("-c", "-m") and assignments[0][1]["is_own_python"]
        return PreparedJob(assignments, suits, dict(chief.variables).get("KERAS_BACKEND"), note or "")

    def remove_empty_folders(self, body: Mapping[str, Any]) -> None:
        """Takes back the output folders that nothing was written to, or whose objects were deleted."""
        folder = output_folder(body, self._buckets)
        if folder is not None:
            for empty in (*(folder / name for name in OUTPUT_FOLDERS.values()), folder):
                with contextlib.suppress(OSError):
                    empty.rmdir()

    def _package_paths(self, replicas: list[Replica], digests: Mapping[str, str]) -> list[Path]:
        cache = self._places.cache
        return [
            packages.installed_folder(address, digests[address], self._buckets, cache)
            for address in packages.foreign_packages(replicas)
        ]

    def _assignment(
        self,
        job_id: str,
        body: Mapping[str, Any],
        replica: Replica,
        variables: dict[str, str],
        paths: list[Path],
        notes: list[str],
    ) -> dict[str, Any]:
        folder = self._places.jobs / job_id / replica.name
        emptied(folder)
        (folder / "pip").mkdir()
        known = {**variables}
        for name, value in replica.variables:
            known[name] = expanded(value, known)
        known["CLOUDML_STOPPING"] = str(folder / "stopping")
        known["CLOUDML_REPLICA"] = str(folder)
        secrets = [known.get(name, "") for name in known.get("CLOUDML_SECRETS", "").split(",") if name]
        whole = (*(replica.command or ("python3", "-m", replica.module or "")), *replica.arguments)
        first, *rest = resolved_command(whole)
        command = [first, *(expanded(text, known) for text in rest)]
        told = assignment(
            folder,
            command,
            job_environment(self._plain, known, paths, folder / "pip"),
            paths=[*paths, folder / "pip"],
            secrets=[secret for secret in secrets if secret],
            notes=notes,
            timeout_seconds=_timeout(body),
            grace_seconds=self._grace_seconds,
        )
        return {**told, "is_own_python": first != whole[0]}


def _timeout(body: Mapping[str, Any]) -> float | None:
    text = str(((body.get("jobSpec") or {}).get("scheduling") or {}).get("timeout") or "")
    found = re.fullmatch(r"(\d+(?:\.\d+)?)s", text)
    return float(found.group(1)) if found and float(found.group(1)) > 0 else None


def _device_note(body: Mapping[str, Any], gpu: int | None) -> str | None:
    machine = ((body.get("jobSpec") or {}).get("workerPoolSpecs") or [{}])[0].get("machineSpec") or {}
    kind, count = machine.get("acceleratorType"), int(machine.get("acceleratorCount") or 0)
    if gpu is not None or not count or kind in (None, "ACCELERATOR_TYPE_UNSPECIFIED"):
        return None
    return f"The job asks for {count} × {kind}, but this machine has no GPU: it trains on the CPU."
