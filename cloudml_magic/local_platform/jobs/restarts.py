"""Starts a job again whose process was killed from outside, where it asked for machines that may be taken away.

So Vertex AI does with spot machines and flexible starts, up to six times; here `kill -9` is the preemption.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MOST = 6
_COUNT = "restarts"
_STRATEGIES = frozenset({"SPOT", "FLEX_START"})
_TOLD_TO_STOP = 143
_KEPT = frozenset({"output.log", "output.index"})


def died(ended: Mapping[str, Any]) -> bool:
    """Whether a process ended by a signal that its supervisor did not send on the platform's behalf."""
    if ended.get("cause") == "terminated":
        return True
    return ended.get("cause") == "exited" and (bool(ended.get("signal")) or ended.get("code") == _TOLD_TO_STOP)


def begins_again(body: Mapping[str, Any], job_folder: Path, ended: Mapping[str, Any] | None) -> bool:
    """Whether a job whose process ended like this is started again; counts it, so that there is an end to it."""
    scheduling = (body.get("jobSpec") or {}).get("scheduling") or {}
    if scheduling.get("strategy") not in _STRATEGIES or scheduling.get("disableRetries"):
        return False
    if ended is None or not died(ended) or ended.get("memory_kills"):
        return False
    count = restarts(job_folder) + 1
    if count > _MOST:
        return False
    with contextlib.suppress(OSError):
        # On a full disk it fails soon for that.
        (job_folder / _COUNT).write_text(str(count), "ascii")
    return True


def restarts(job_folder: Path) -> int:
    """How often a job was started again."""
    try:
        return int((job_folder / _COUNT).read_text("ascii"))
    except (OSError, ValueError):
        return 0


def restart_note(job_folder: Path) -> str:
    """What the log says of a process that is not the job's first."""
    count = restarts(job_folder)
    return f"The machine was taken away; the job begins again ({count} of {_MOST})." if count else ""


def emptied(folder: Path) -> None:
    """Makes a replica's folder ready for a process: its log goes on, all else is of the one that died."""
    if folder.exists():
        for each in folder.iterdir():
            if each.name not in _KEPT:
                shutil.rmtree(each) if each.is_dir() else each.unlink()
    (folder / "work").mkdir(parents=True)
    folder.chmod(0o700)
