"""What the kernel says of processes: who descends from whom, when one started, and which boot this is.

Standard library only: the supervisor uses it too.
"""

from __future__ import annotations

import os
import signal

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_PARENT, _START = 1, 19


def boot_id() -> str:
    """A name for this boot of the machine; empty where the system tells none."""
    try:
        with open(_BOOT_ID, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def start_time(pid: int) -> int | None:
    """When the process started, in ticks since boot: tells it from a later process of the same number."""
    fields = _fields(pid)
    return int(fields[_START]) if fields else None


def is_alive(pid: int, started: int | None, boot: str) -> bool:
    """Whether exactly this process still runs."""
    if boot != boot_id() or started is None:
        return False
    fields = _fields(pid)
    return bool(fields) and int(fields[_START]) == started and fields[0] != "Z"


def descendants(ancestor: int) -> list[int]:
    """All processes beneath this one that live (zombies are no more)."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        fields = _fields(int(name)) if name.isdigit() else []
        if fields and fields[0] != "Z":
            children.setdefault(int(fields[_PARENT]), []).append(int(name))
    found: list[int] = []
    waiting = [ancestor]
    while waiting:
        new = children.get(waiting.pop(), [])
        found += new
        waiting += new
    return found


def send(pid: int, number: int) -> None:
    """Signals a process that may be gone already."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def kill_all_beneath(ancestor: int) -> bool:
    """Stops, then kills every descendant, so that none can fork away; whether there was any."""
    found = descendants(ancestor)
    for pid in found:
        send(pid, signal.SIGSTOP)
    for pid in found:
        send(pid, signal.SIGKILL)
    return bool(found)


def with_variable(assignment: str) -> list[int]:
    """Processes whose environment holds `NAME=VALUE`: what a job leaves when its supervisor was killed."""
    wanted = os.fsencode(assignment)
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and int(name) != os.getpid():
                with open(f"/proc/{name}/environ", "rb") as file:
                    if wanted in file.read().split(b"\0"):
                        found.append(int(name))
        except OSError:
            continue
    return found


def memory_kills() -> int:
    """How many processes the kernel has killed for want of memory since boot."""
    try:
        with open("/proc/vmstat", encoding="ascii") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("oom_kill ")), 0)
    except OSError:
        return 0


def _fields(pid: int) -> list[str]:
    """State, parent and so on: what follows the name, which may itself hold spaces and brackets."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].decode("ascii").split()
    except OSError:
        return []
