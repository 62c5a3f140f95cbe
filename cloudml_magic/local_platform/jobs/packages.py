"""The packages that a job names: pinned when it is submitted, compared when it starts, put on the job's path."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.jobs.archives import UnsafeArchiveError, unpack
from cloudml_magic.local_platform.jobs.replicas import Replica, bucket_path

# What uv says around the cause.
_PREAMBLE = ("Using ", "Resolved ", "warning:", "hint:", "No solution found when resolving")


class PreparationError(Exception):
    """The job cannot start; the message says why and what to do."""


def package_addresses(replicas: Iterable[Replica]) -> list[str]:
    """Every package in a bucket that the job's replicas name, in their package list or their arguments."""
    found: dict[str, None] = {}
    for replica in replicas:
        for text in (*replica.package_uris, *replica.command, *replica.arguments):
            if text.startswith("gs://") and text.endswith((".tar.gz", ".whl", ".tar", ".tgz", ".zip")):
                found[text] = None
    return list(found)


def foreign_packages(replicas: Iterable[Replica]) -> list[str]:
    """The packages that the platform itself installs (Python package jobs)."""
    return list({uri: None for replica in replicas for uri in replica.package_uris})


def check_addresses(addresses: Iterable[str], buckets: Path) -> None:
    """Refuses a package that is not there when the job is submitted."""
    for address in addresses:
        if not bucket_path(address, buckets).is_file():
            raise PlatformError(400, f"The package {address} does not exist in the local buckets.")


def pin(addresses: Iterable[str], buckets: Path, folder: Path) -> None:
    """Records what each package is now."""
    pins = {address: _identity(bucket_path(address, buckets)) for address in addresses}
    part = folder / "packages.part"
    with part.open("w", encoding="utf-8") as file:
        json.dump(pins, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / "packages.json")


def compare(buckets: Path, folder: Path) -> dict[str, str]:
    """Refuses a package that was changed since; returns the digests, by address."""
    try:
        pins = json.loads((folder / "packages.json").read_text("utf-8"))
    except FileNotFoundError:
        return {}
    for address, pinned in pins.items():
        try:
            now = _identity(bucket_path(address, buckets))
        except OSError as problem:
            raise PreparationError(
                f"The package {address} is gone: {problem.strerror}. Submit the job again."
            ) from None
        if now["sha256"] != pinned["sha256"]:
            raise PreparationError(
                f"The package {address} is not the one that was submitted: its sha256 was {pinned['sha256']} and is now"
                f" {now['sha256']}. Nothing of it was run. Submit the job again."
            )
    return {address: str(pinned["sha256"]) for address, pinned in pins.items()}


def installed_folder(address: str, digest: str, buckets: Path, cache: Path) -> Path:
    """The folder from which the package can be imported; made once for each digest."""
    target = cache / "packages" / digest
    if target.is_dir():
        return _import_root(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f"{digest[:16]}-", dir=target.parent))
    try:
        archive = temporary / address.rpartition("/")[2]
        content = bucket_path(address, buckets).read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise PreparationError(f"The package {address} changed while it was read. Submit the job again.")
        archive.write_bytes(content)
        unpacked = temporary / "unpacked"
        unpacked.mkdir()
        try:
            unpack(archive, unpacked)
        except UnsafeArchiveError as problem:
            raise PreparationError(f"The package {address} cannot be unpacked. {problem}") from problem
        if _import_root_of(unpacked) is None:
            shutil.rmtree(unpacked)
            _install(archive, unpacked, address)
        try:
            unpacked.rename(target)
        except OSError:
            # Another job was faster with the same package.
            if not target.is_dir():
                raise
        return _import_root(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _import_root(folder: Path) -> Path:
    return _import_root_of(folder) or folder


def _import_root_of(folder: Path) -> Path | None:
    """Where the modules lie, if they lie as they are imported; else the package has to be built."""
    if list(folder.glob("*.dist-info")):
        return folder if not list(folder.glob("*.data")) else None
    inner = [entry for entry in folder.iterdir() if entry.is_dir()]
    if len(inner) != 1:
        return None
    for base in (inner[0], inner[0] / "src"):
        for names in base.glob("*.egg-info/top_level.txt"):
            top = names.read_text("utf-8").split()
            if top and all((base / name).is_dir() or (base / f"{name}.py").is_file() for name in top):
                return base
    return None


def _install(archive: Path, target: Path, address: str) -> None:
    command = ["pip", "install", "--quiet", "--no-deps", "--python", sys.executable, "--target", str(target)]
    done = subprocess.run([*uv_command(), *command, str(archive)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PreparationError(f"The package {address} cannot be installed: {cause_line(done.stderr)}")


def uv_command() -> list[str]:
    """How to call uv: the one beside this Python, else the one on the path."""
    beside = Path(sys.executable).with_name("uv")
    return [str(beside) if beside.exists() else "uv"]


def cause_line(text: str) -> str:
    """What went wrong, out of uv's tree of causes, on one line."""
    lines = [re.sub(r"^(error|cause|Caused by): ", "", line.strip(" │╰─▶×├╴")) for line in text.splitlines()]
    told = " ".join(line for line in lines if line and not line.startswith(_PREAMBLE))
    told = re.sub(r"^Because (.*), we can conclude that (?:your|the) requirements are unsatisfiable", r"\1", told)
    return told[:600] or "uv gave no reason."


def _identity(path: Path) -> dict[str, object]:
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"sha256": digest, "size": status.st_size, "inode": status.st_ino, "changed": status.st_mtime_ns}
