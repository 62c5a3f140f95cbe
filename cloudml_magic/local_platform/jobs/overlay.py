"""What a job requires and this environment lacks goes into a folder of its own, made once for each set."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from email.parser import HeaderParser
from pathlib import Path

from cloudml_magic.local_platform.jobs.packages import PreparationError, cause_line, uv_command

_LARGEST_METADATA = 1 << 20


def requirements_of(package: Path) -> list[str]:
    """What the package's own metadata says it requires."""
    text = _wheel_metadata(package) if zipfile.is_zipfile(package) else _sdist_metadata(package)
    return HeaderParser().parsestr(text).get_all("Requires-Dist") or []


def missing(requirements: Iterable[str]) -> list[str]:
    """Those that this environment does not meet; nothing is started to find out."""
    from packaging.requirements import InvalidRequirement, Requirement

    lacking = []
    for text in dict.fromkeys(requirements):
        try:
            requirement = Requirement(text)
        except InvalidRequirement as problem:
            raise PreparationError(
                f"The requirement {text!r} cannot be read: {str(problem).splitlines()[0]}. Mend it with --requires."
            ) from None
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            lacking.append(text)
            continue
        if requirement.extras or not requirement.specifier.contains(version, prereleases=True):
            lacking.append(text)
    return lacking


def overlay_for(requirements: Iterable[str], overlays: Path) -> Path | None:
    """The folder that adds what is missing, made now if it is not there; nothing if nothing is missing."""
    lacking = sorted(missing(requirements))
    if not lacking:
        return None
    pins = _resolved(lacking)
    if not pins:
        return None
    key = hashlib.sha256("\n".join([sys.version, sys.prefix, *pins]).encode()).hexdigest()[:32]
    target = overlays / key
    overlays.mkdir(parents=True, exist_ok=True)
    with (overlays / f"{key}.lock").open("w") as lock:
        # Two jobs with the same set wait for one installation.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            _install(pins, target)
    return target


def _resolved(lacking: list[str]) -> list[str]:
    """Exactly what uv would add to this environment, as pins; the environment itself is not touched."""
    done = _uv("pip", "install", "--dry-run", "--python", sys.executable, *lacking)
    if done.returncode:
        raise PreparationError(
            f"The requirements {', '.join(lacking)} cannot be met: {cause_line(done.stderr)}"
            " Look at the names and versions, and at the network; --requires overrides them."
        )
    return sorted(re.findall(r"(?m)^ \+ (\S+==\S+)", done.stderr))


def _install(pins: list[str], target: Path) -> None:
    temporary = Path(tempfile.mkdtemp(prefix=".part-", dir=target.parent))
    try:
        done = _uv(
            "pip", "install", "--no-deps", "--compile-bytecode", "--python", sys.executable, "--target", str(temporary),
            *pins,
        )  # fmt: skip
        if done.returncode:
            raise PreparationError(
                f"The requirements {', '.join(pins)} cannot be installed: {cause_line(done.stderr)}"
                " Look at the names and versions, and at the network."
            )
        temporary.chmod(0o755)
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    try:
        return subprocess.run([*uv_command(), *arguments], capture_output=True, text=True, check=False, env=environment)
    except OSError as problem:
        raise PreparationError(f"uv cannot be started ({problem.strerror}). Install it: pip install uv") from problem


def _wheel_metadata(package: Path) -> str:
    with zipfile.ZipFile(package) as archive:
        for name in archive.namelist():
            if name.count("/") == 1 and name.endswith(".dist-info/METADATA"):
                with archive.open(name) as file:
                    return file.read(_LARGEST_METADATA).decode("utf-8", "replace")
    return ""


def _sdist_metadata(package: Path) -> str:
    """PKG-INFO; requires.txt of the egg-info where old tools wrote the requirements there."""
    try:
        with tarfile.open(package, mode="r:*") as archive:
            information, required = "", ""
            for member in archive:
                parts = member.name.split("/")
                if not member.isreg() or len(parts) not in (2, 3):
                    continue
                if len(parts) == 2 and parts[1] == "PKG-INFO":
                    information = _text(archive, member)
                elif parts[-2].endswith(".egg-info") and parts[-1] == "requires.txt":
                    required = _text(archive, member).partition("[")[0]
    except (tarfile.TarError, EOFError, OSError) as problem:
        raise PreparationError(f"The package {package.name} cannot be read: {problem}") from problem
    if "\nRequires-Dist:" in information:
        return information
    lines = "".join(f"Requires-Dist: {line.strip()}\n" for line in required.splitlines() if line.strip())
    return lines + information


def _text(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = archive.extractfile(member)
    return file.read(_LARGEST_METADATA).decode("utf-8", "replace") if file else ""
