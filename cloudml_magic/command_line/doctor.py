"""`cloudml doctor`: what a job needs of this machine, each thing with a fix where it is missing."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from cloudml_magic import places
from cloudml_magic.errors import CloudMLError
from cloudml_magic.ledger import Ledger
from cloudml_magic.local_platform import lifecycle
from cloudml_magic.places import PlatformPlaces
from cloudml_magic.records.findings import Finding, finding_lines
from cloudml_magic.settings import Settings

_ENOUGH_BYTES = 2 << 30


def declare(commands: Any) -> None:
    """Declares the command."""
    parser = commands.add_parser("doctor", help="check this machine; each finding with a fix")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    findings = [check() for check in CHECKS]
    print("\n".join(finding_lines(findings)))
    return 1 if any(finding.is_fatal for finding in findings) else 0


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", f"{version} at {sys.executable}")


def _tensorflow() -> Finding:
    for name in ("tensorflow", "tensorflow-cpu", "tf-nightly"):
        try:
            return Finding("TensorFlow", f"{metadata.version(name)}, Keras {metadata.version('keras')}")
        except metadata.PackageNotFoundError:
            continue
    return Finding("TensorFlow", "not installed", "pip install 'cloudml-magic[local]'", True)


def _bytecode() -> Finding:
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        return Finding(
            "Bytecode",
            "PYTHONDONTWRITEBYTECODE is set: TensorFlow imports three times slower",
            f"Unset it, and run: {sys.executable} -m compileall -q {sysconfig.get_path('purelib')}",
        )
    return Finding("Bytecode", "written, so imports stay fast")


def _gpu() -> Finding:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return Finding("GPU", "none found; jobs run on the CPU")
    try:
        answer = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        return Finding("GPU", f"nvidia-smi does not answer: {problem}", "Check the driver.")
    names = [line.partition(": ")[2].partition(" (")[0] for line in answer.stdout.splitlines()]
    if not names:
        return Finding("GPU", "nvidia-smi lists none", "Check the driver.")
    return Finding("GPU", ", ".join(names))


def _disk() -> Finding:
    data = PlatformPlaces.of_this_user().data
    standing = next(path for path in (data, *data.parents) if path.exists())
    free = shutil.disk_usage(standing).free
    state = f"{_size(free)} free; jobs use {_size(_used(data) + _used(PlatformPlaces.of_this_user().state))} in {data}"
    if free < _ENOUGH_BYTES:
        return Finding("Disk", state, "Free some: `%ml_jobs --older-than 30d` removes old jobs.")
    if not os.access(standing, os.W_OK):
        return Finding("Disk", f"{standing} cannot be written", "Change its rights or set XDG_DATA_HOME.", True)
    return Finding("Disk", state)


def _credentials() -> Finding:
    explicit = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    usual = Path.home() / ".config/gcloud/application_default_credentials.json"
    file = Path(explicit) if explicit else usual
    if file.is_file():
        return Finding("Credentials", f"Google's, at {file}; the local platform needs none")
    if explicit:
        return Finding("Credentials", f"{file} does not exist", "Mend or unset GOOGLE_APPLICATION_CREDENTIALS.")
    return Finding("Credentials", "none of Google's; the local platform needs none")


def _settings() -> Finding:
    try:
        Settings().table()
        Ledger().latest()
    except CloudMLError as error:
        return Finding("Settings", f"{error.what} {error.why}", error.next, is_fatal=True)
    return Finding("Settings", f"readable; configuration file {places.configuration_file()}")


def _platform() -> Finding:
    try:
        address = lifecycle.find_running()
    except CloudMLError as error:
        return Finding("Platform", f"{error.what} {error.why}", error.next, is_fatal=True)
    if address is None:
        return Finding("Platform", "does not run; it starts by itself at the first job")
    return Finding("Platform", f"runs at {address.endpoint}, process {address.pid}")


def _lab() -> Finding:
    try:
        from jupyter_core.paths import jupyter_path
    except ImportError:
        return Finding("JupyterLab", "not installed; cards are HTML and text elsewhere")
    if not any((Path(folder) / "cloudml-magic" / "package.json").exists() for folder in jupyter_path("labextensions")):
        return Finding(
            "JupyterLab",
            "without the lab extension, so cards are plain HTML and there is no panel",
            "Install the wheel of cloudml-magic, or run `make lab` in a checkout.",
        )
    return Finding("JupyterLab", "with the lab extension")


def _used(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) if folder.exists() else 0


def _size(count: float) -> str:
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


CHECKS: tuple[Callable[[], Finding], ...] = (
    _python,
    _tensorflow,
    _bytecode,
    _gpu,
    _disk,
    _credentials,
    _settings,
    _platform,
    _lab,
)
