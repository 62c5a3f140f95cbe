"""Says how a replica ended: Google's sentences, the true reason, and what to do next."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# google.rpc.Code
INVALID_ARGUMENT, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL = 3, 4, 8, 10, 13
_TAIL_BYTES = 1 << 16
_MOST_LINES = 25
_MOST_CHARACTERS = 3000
_LEAST_ROOM = 1 << 16

Error = tuple[int, str]


def error_of(replica: str, ended: Mapping[str, Any], folder: Path) -> Error | None:
    """Code and message of a replica that failed; nothing if it ended well."""
    cause, code, number = ended.get("cause"), ended.get("code"), ended.get("signal")
    if cause == "timeout":
        return DEADLINE_EXCEEDED, (
            f"The replica {replica} ran longer than the job's timeout and was stopped. Raise --timeout, or train less."
        )
    if cause == "terminated":
        return ABORTED, f"The replica {replica} was stopped from outside (SIGTERM). Submit the job again."
    if cause == "not_started":
        return INVALID_ARGUMENT, f"The replica {replica} could not be started. {_tail(folder)}".rstrip()
    if number == signal.SIGKILL:
        return _killed(replica, ended)
    if number:
        return INVALID_ARGUMENT, (
            f"The replica {replica} exited with a non-zero status of {128 + number}."
            f" Termination reason: {signal.Signals(number).name}. \n{_tail(folder)}"
        ).rstrip()
    if code and (words := _own_words(folder)):
        return INVALID_ARGUMENT, words
    if code:
        tail = _tail(folder)
        advice = _advice(tail, folder)
        message = f"The replica {replica} exited with a non-zero status of {code}. Termination reason: Error. \n{tail}"
        return INVALID_ARGUMENT, message.rstrip() + (f"\n{advice}" if advice else "")
    return None


def _killed(replica: str, ended: Mapping[str, Any]) -> Error:
    peak = f" It used up to {ended.get('peak_kilobytes', 0) / 1024:,.0f} MiB."
    advice = " Use a smaller batch_size or model, or a machine with more memory."
    if ended.get("memory_kills"):
        return RESOURCE_EXHAUSTED, (
            f"The replica {replica} ran out-of-memory and exited with a non-zero status of 9(SIGKILL).{peak}{advice}"
        )
    return RESOURCE_EXHAUSTED, (
        f"The replica {replica} was killed (SIGKILL), probably because it ran out of memory.{peak}{advice}"
    )


def lost(replica: str, folder: Path) -> Error:
    """The supervisor is gone and left no word."""
    if _has_no_room(folder):
        return disk_full(f"The replica {replica} could not be watched over")
    return INTERNAL, (
        f"The replica {replica} was lost: the process that watched over it was killed. Submit the job again."
    )


def disk_full(what: str) -> Error:
    """There was no room for what a job needs."""
    return RESOURCE_EXHAUSTED, f"{what}: the disk is full. Free space on the disk, then submit the job again."


def restarted() -> Error:
    """The machine went down under the job."""
    return ABORTED, "The machine restarted while the job ran. Submit the job again."


def _has_no_room(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _LEAST_ROOM
    except OSError:
        return False


def _tail(folder: Path) -> str:
    """The end of the log that tells why: from the last traceback on, else the last lines."""
    try:
        with (folder / "output.log").open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", text.replace("\r\n", "\n")).rstrip()
    start = text.rfind("Traceback (most recent call last)")
    lines = text[start:].splitlines() if start >= 0 else text.splitlines()[-5:]
    if len(lines) > _MOST_LINES:
        lines = [lines[0], "  …", *lines[2 - _MOST_LINES :]]
    return "\n".join(lines)[-_MOST_CHARACTERS:]


def _own_words(folder: Path) -> str:
    """Why a process of this package's own failed, as it said itself."""
    try:
        return (folder / "message").read_text("utf-8", "replace")[:_MOST_CHARACTERS]
    except OSError:
        return ""


def _advice(tail: str, folder: Path) -> str:
    if found := re.search(r"(?m)^ModuleNotFoundError: No module named '([\w.]+)'", tail):
        name = found.group(1).partition(".")[0]
        return f"Add {name} to what the package requires (--requires {name})."
    if "No space left on device" in tail:
        return "Free space on the disk, then submit the job again."
    if _has_no_room(folder):
        # Then the log has no word of it either.
        return "The disk is full. Free space on it, then submit the job again."
    return ""
