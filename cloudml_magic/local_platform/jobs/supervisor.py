"""One small process per replica: starts the job's process, keeps its output, and outlives the platform.

Run as a file by `python -I -S` with the standard library only. Standard input carries one line of JSON, the
assignment; a warm spare gets a first line that says how to start it and the assignment as the second. In the replica's
folder it leaves `process.json` (who runs here), `output.log`, `output.index` and at the end `exit.json`, whole or not
at all. A file `cancel` there and a SIGTERM to the supervisor end the job and everything that it started.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import sys
import time
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from process_table import boot_id, descendants, kill_all_beneath, memory_kills, send, start_time  # type: ignore[import-not-found]
from supervised_output import OutputLog  # type: ignore[import-not-found]

_LIBC = ctypes.CDLL(None)
_DIE_WITH_PARENT, _BE_SUBREAPER = 1, 36
_CHUNK = 1 << 18
_GRACE_WHEN_SILENT = 3.0
_GRACE_FOR_LEFTOVERS = 1.0
_SPACE = b" " * 4096


class Supervisor:
    """The life of one replica."""

    def __init__(self) -> None:
        self._wake, wake_writer = os.pipe()
        for end in (self._wake, wake_writer):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
        self._terminated = False
        signal.signal(signal.SIGTERM, self._on_terminate)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        _LIBC.prctl(_BE_SUBREAPER, 1, 0, 0, 0)
        self._streams: dict[int, int] = {}
        self._log: Any = None
        self._child = 0
        self._status: int | None = None
        self._peak_kilobytes = 0

    def run(self) -> None:
        """Serves one assignment from start to end; whatever happens, nothing that it started stays."""
        try:
            self._run()
        finally:
            self._end_everything()

    def _run(self) -> None:
        first = _read_line()
        if first is None:
            return
        assignment = self._wait_as_spare(first) if "spare" in first else first
        if assignment is not None:
            self._serve(assignment)

    def _on_terminate(self, number: int, frame: object) -> None:
        self._terminated = True

    # --- a spare ---

    def _wait_as_spare(self, spare: dict[str, Any]) -> dict[str, Any] | None:
        confirm, confirm_writer = os.pipe()
        os.set_inheritable(confirm_writer, True)
        hand, hand_writer = os.pipe()
        environment = {**spare["environment"], "CLOUDML_SPARE": str(confirm_writer)}
        self._start(spare["command"], environment, spare["folder"], stdin=hand)
        os.close(confirm_writer)
        os.close(hand)
        ready = False
        while True:
            readable = self._wait([0, confirm], None)
            if self._status is not None or self._terminated:
                return None
            if confirm in readable:
                if not os.read(confirm, 1):
                    return None
                ready = True
                os.write(1, b"ready\n")
            if 0 in readable:
                assignment = _read_line()
                if assignment is None or not ready:
                    return None
                told = {name: assignment[name] for name in ("command", "environment", "folder", "paths")}
                os.write(hand_writer, json.dumps(told).encode() + b"\n")
                os.close(hand_writer)
                if select.select([confirm], [], [], 2.0)[0] and os.read(confirm, 1):
                    os.close(confirm)
                    return assignment
                return None

    # --- a job ---

    def _serve(self, job: dict[str, Any]) -> None:
        replica = job["replica_folder"]
        if not _claim(replica):
            return
        self._reserve = os.path.join(replica, "exit.part")
        with open(self._reserve, "wb") as file:
            file.write(_SPACE)
        secrets = [secret.encode("utf-8", "surrogateescape") for secret in job["secrets"]]
        self._log = OutputLog(replica, secrets, job["head_bytes"], job["tail_bytes"])
        for note in job["notes"]:
            self._log.note(note)
        kills_before = memory_kills()
        cause = "exited"
        try:
            if not self._child:
                self._start(job["command"], job["environment"], job["folder"], stdin=os.open(os.devnull, os.O_RDONLY))
            cause = self._watch(replica, job["timeout_seconds"], job["grace_seconds"])
        except OSError as problem:
            cause = "not_started"
            self._log.note(str(problem))
        self._end_leftovers()
        self._drain()
        self._log.close()
        self._write_exit(replica, cause, memory_kills() - kills_before)

    def _watch(self, replica: str, timeout: float | None, grace: float) -> str:
        """Until the job's own process has ended; returns why it did."""
        cause = "exited"
        deadline = None if timeout is None else time.monotonic() + timeout
        asked = killed = 0.0
        stopping = os.path.join(replica, "stopping")
        while self._status is None:
            now = time.monotonic()
            if not asked:
                if os.path.exists(os.path.join(replica, "cancel")):
                    cause = "cancelled"
                elif self._terminated:
                    cause = "terminated"
                elif deadline is not None and now >= deadline:
                    cause = "timeout"
                if cause != "exited":
                    asked = now
                    send(self._child, signal.SIGTERM)
            elif not killed or now - killed > 0.2:
                patience = grace if os.path.exists(stopping) else min(grace, _GRACE_WHEN_SILENT)
                if now - asked >= patience:
                    killed = now
                    kill_all_beneath(os.getpid())
            rest = 0.1 if asked else 1.0 if deadline is None else min(1.0, max(0.0, deadline - now))
            self._wait([], rest)
        return cause

    def _start(self, command: list[str], environment: dict[str, str], folder: str, stdin: int) -> None:
        out, out_writer = os.pipe()
        error, error_writer = os.pipe()
        failed, failed_writer = os.pipe()
        self._child = os.fork()
        if not self._child:
            _become(command, environment, folder, stdin, out_writer, error_writer, failed_writer)
        for end in (out_writer, error_writer, failed_writer):
            os.close(end)
        problem = os.read(failed, 4096)
        os.close(failed)
        for end in (out, error):
            os.set_blocking(end, False)
        self._streams = {out: 1, error: 2}
        if problem:
            self._reap(wait=True)
            raise OSError(problem.decode("utf-8", "replace"))

    def _wait(self, others: list[int], seconds: float | None) -> list[int]:
        """Waits for output, a signal, one of the others or the time; takes output and ended children."""
        readable, _, _ = select.select([*self._streams, self._wake, *others], [], [], seconds)
        for end in readable:
            if end in self._streams:
                self._take(end)
        if self._wake in readable:
            _empty(self._wake)
        self._reap()
        return readable

    def _take(self, end: int) -> bool:
        try:
            chunk = os.read(end, _CHUNK)
        except BlockingIOError:
            return False
        if not chunk:
            del self._streams[end]
            os.close(end)
            return False
        if self._log is not None:
            self._log.feed(self._streams[end], chunk)
        return True

    def _drain(self) -> None:
        for end in list(self._streams):
            while self._take(end):
                pass

    def _reap(self, wait: bool = False) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, 0 if wait else os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            wait = False
            if pid == self._child:
                self._status = status
                self._peak_kilobytes = usage.ru_maxrss

    def _end_leftovers(self) -> None:
        """What the job started and left behind ends with it."""
        own = os.getpid()
        for pid in descendants(own):
            send(pid, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_FOR_LEFTOVERS
        while descendants(own):
            if time.monotonic() > deadline:
                kill_all_beneath(own)
            self._wait([], 0.02)
        self._reap()

    def _end_everything(self) -> None:
        while kill_all_beneath(os.getpid()):
            self._reap()
            time.sleep(0.005)

    def _write_exit(self, replica: str, cause: str, memory_killed: int) -> None:
        status = self._status
        signal_number = os.WTERMSIG(status) if status is not None and os.WIFSIGNALED(status) else None
        ended = {
            "code": os.WEXITSTATUS(status) if status is not None and os.WIFEXITED(status) else None,
            "signal": signal_number,
            "cause": cause,
            "memory_kills": memory_killed,
            "peak_kilobytes": self._peak_kilobytes,
            "ended": time.time(),
        }
        # Its room on the disk was taken at the start: a disk that the job filled does not hide how it ended.
        with open(self._reserve, "r+b") as file:
            file.write(json.dumps(ended).encode().ljust(len(_SPACE)))
            file.flush()
            os.fsync(file.fileno())
        os.rename(self._reserve, os.path.join(replica, "exit.json"))


def _become(
    command: list[str], environment: dict[str, str], folder: str, stdin: int, out: int, error: int, failed: int
) -> None:
    """In the child: turns into the job's process, or says why not."""
    try:
        os.setsid()
        _LIBC.prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
        for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(stdin, 0)
        os.dup2(out, 1)
        os.dup2(error, 2)
        os.chdir(folder)
        os.execvpe(command[0], command, environment)
    except OSError as problem:
        os.write(failed, f"{command[0]}: {problem.strerror}".encode("utf-8", "replace"))
    except BaseException as problem:
        os.write(failed, f"{command[0]}: {problem}".encode("utf-8", "replace"))
    os._exit(127)


def _claim(replica: str) -> bool:
    """Says that this process runs the replica; False if another one does already."""
    part = os.path.join(replica, f"process.{os.getpid()}")
    identity = {"pid": os.getpid(), "started": start_time(os.getpid()), "boot": boot_id()}
    with open(part, "w", encoding="ascii") as file:
        json.dump(identity, file)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(part, os.path.join(replica, "process.json"))
    except FileExistsError:
        return False
    finally:
        os.unlink(part)
    return True


def _read_line() -> dict[str, Any] | None:
    """One line of JSON from standard input (its writer sends the next only after an answer); nothing at its end."""
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(0, 65536)
        if not part:
            return None
        line += part
    found: dict[str, Any] = json.loads(line)
    return found


def _empty(end: int) -> None:
    try:
        while os.read(end, 4096):
            pass
    except BlockingIOError:
        return


if __name__ == "__main__":
    Supervisor().run()
    os._exit(0)
