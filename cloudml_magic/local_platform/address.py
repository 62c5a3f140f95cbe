"""How the running platform is found again: a token that lasts, and an address that names a living process."""

from __future__ import annotations

import json
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.jobs.process_table import boot_id, is_alive, start_time
from cloudml_magic.local_platform.settings import BUCKET, PROJECT, PROJECT_NUMBER, REGION
from cloudml_magic.places import PlatformPlaces

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class PlatformAddress:
    """All that a client needs to speak to the platform."""

    endpoint: str
    token: str = field(repr=False)
    pid: int
    version: str = ""
    project: str = PROJECT
    project_number: str = PROJECT_NUMBER
    region: str = REGION
    bucket: str = BUCKET

    @property
    def port(self) -> int:
        return int(self.endpoint.rpartition(":")[2])


def read_token(places: PlatformPlaces) -> str | None:
    """The platform's token; None if there is none, or what is there is none."""
    try:
        text = places.token_file.read_text("ascii", errors="replace").strip()
    except OSError:
        return None
    return text if _TOKEN.fullmatch(text) else None


def lasting_token(places: PlatformPlaces) -> str:
    """The token of this platform, 256 bits, made at the first start; kernels outlive servers, and so does it."""
    token = read_token(places)
    if token is None:
        token = secrets.token_urlsafe(32)
        write_private(places.token_file, token + "\n")
    places.token_file.chmod(0o600)
    return token


def write_address(places: PlatformPlaces, port: int, version: str, *, stopped: bool = False) -> None:
    """Says where this process listens, or that it ended as it was asked to."""
    pid = os.getpid()
    content = {
        "port": port,
        "pid": pid,
        "process_start": start_time(pid),
        "boot_id": boot_id(),
        "version": version,
        "stopped": stopped,
    }
    write_private(places.address_file, json.dumps(content) + "\n")


def was_stopped(places: PlatformPlaces) -> bool:
    """Whether the last server ended because somebody asked it to, and not by a crash."""
    return _content(places).get("stopped") is True


def last_port(places: PlatformPlaces) -> int:
    """The port of the server before, which its clients still know; 0 if there is none."""
    port = _content(places).get("port")
    return port if isinstance(port, int) and 0 < port < 65536 else 0


def read_address(places: PlatformPlaces) -> PlatformAddress | None:
    """Where the platform listens, if exactly the process that wrote it lives."""
    content = _content(places)
    token = read_token(places)
    port, pid, started = content.get("port"), content.get("pid"), content.get("process_start")
    if content.get("stopped") is True:
        return None
    if token is None or not isinstance(port, int) or not isinstance(pid, int) or not isinstance(started, int):
        return None
    if not is_alive(pid, started, str(content.get("boot_id"))):
        return None
    return PlatformAddress(f"http://127.0.0.1:{port}", token, pid, str(content.get("version", "")))


def write_private(path: Path, text: str) -> None:
    """Replaces a file that only its owner reads, as one step."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _content(places: PlatformPlaces) -> dict[str, Any]:
    try:
        content = json.loads(places.address_file.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
