"""The batch process from start to end: loads the model, predicts every share, and leaves both outputs and a summary."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from cloudml_magic.errors import CloudMLError
from cloudml_magic.serving.batch.confirmed import Confirmed, beginning, read_confirmed
from cloudml_magic.serving.batch.finishing import finish
from cloudml_magic.serving.batch.reports import Progress, counted, say
from cloudml_magic.serving.batch.shares import Shares, shares_of
from cloudml_magic.serving.batch.specification import InputObject, Specification, read_specification
from cloudml_magic.serving.batch.workers import run_workers

STOPPED = 143


def main(file: str) -> NoReturn:
    """Ends with 0 when all is done, 1 with the reason where `CLOUDML_REPLICA` says, 143 when it was told to stop."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        code = _run(read_specification(Path(file)))
    except CloudMLError as problem:
        code = _failed(" ".join(part for part in (problem.what, problem.why, problem.next) if part))
    except Exception as problem:
        traceback.print_exc()
        code = _failed(_words(problem))
    sys.stdout.flush()
    sys.stderr.flush()
    # Tearing TensorFlow down takes a second, and nothing is left to be said.
    os._exit(code)


def _run(specification: Specification) -> int:
    lock = os.open(specification.state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    # What a killed platform left may live for a moment; two must never write.
    fcntl.flock(lock, fcntl.LOCK_EX)
    for given in specification.inputs:
        _check_unchanged(given)
    shares = shares_of(specification)
    before = _standing(specification, shares)
    _announce(specification, shares, sum(one.done for one in before))
    progress = Progress(specification.state, shares.total, len(shares.ranges))
    for number, one in enumerate(before):
        progress.update(number, one.done, one.failed)
    stopping = _Stopping()
    if not all(one.finished for one in before):
        run_workers(specification, shares.ranges, progress.update, stopping.on_stop)
    after = _standing(specification, shares)
    for number, one in enumerate(after):
        progress.update(number, one.done, one.failed)
    progress.tell()
    return _end(specification, shares, after, stopping)


def _end(specification: Specification, shares: Shares, after: Sequence[Confirmed], stopping: _Stopping) -> int:
    done = sum(one.done for one in after)
    if not all(one.finished for one in after):
        if not _is_cancelled():
            # The machine goes down, or somebody killed us gently: it is gone on with where it stopped.
            return STOPPED
        finish(specification, after)
        say(f"Stopped: {counted(done, shares.total)} are predicted or failed, and stay: {specification.output_address}")
        return STOPPED
    finish(specification, after)
    failed = sum(one.failed for one in after)
    if not done:
        return _failed("There is no instance in the input.")
    if failed == done:
        first = next(one.first_error for one in after if one.first_error)
        return _failed(f"None of the {done:,} instances could be predicted. {first}")
    say(f"Done: {done - failed:,} instances predicted, {failed:,} failed. {specification.output_address}")
    return 0


def _standing(specification: Specification, shares: Shares) -> list[Confirmed]:
    return [
        read_confirmed(specification, number) or Confirmed(beginning(ranges))
        for number, ranges in enumerate(shares.ranges)
    ]


def _announce(specification: Specification, shares: Shares, done: int) -> None:
    objects = len(specification.inputs)
    size = "" if shares.total is None else f" with {shares.total:,} instances"
    say(f"{specification.model} reads {objects:,} object{'s' if objects != 1 else ''}{size}.")
    if done:
        say(f"Goes on after {counted(done, shares.total)}.")


class _Stopping:
    """SIGTERM: what is under way is written and confirmed, then the process ends."""

    def __init__(self) -> None:
        self._stop: Callable[[], None] | None = None
        self._was_asked = False
        signal.signal(signal.SIGTERM, self._on_signal)

    def on_stop(self, stop: Callable[[], None]) -> None:
        """Calls this when it is time, or now if it was already."""
        self._stop = stop
        if self._was_asked:
            stop()

    def _on_signal(self, number: int, frame: object) -> None:
        self._was_asked = True
        if name := os.environ.get("CLOUDML_STOPPING"):
            Path(name).touch()
        if self._stop is not None:
            self._stop()


def _is_cancelled() -> bool:
    """Whether whoever watches over the process wants the job to end for good."""
    replica = os.environ.get("CLOUDML_REPLICA")
    return replica is None or (Path(replica) / "cancel").exists()


def _check_unchanged(one: InputObject) -> None:
    try:
        found = one.path.stat(follow_symlinks=False)
    except FileNotFoundError:
        change = "is gone"
    else:
        if (found.st_size, found.st_mtime_ns) == (one.size, one.modified_ns):
            return
        change = "is another one now"
    raise CloudMLError(
        "input-changed",
        f"{one.address} {change}.",
        why="It changed after the job was sent.",
        next="Send the job again, and leave its input as it is until it ends.",
    )


def _failed(message: str) -> int:
    with suppress(OSError):
        sys.stderr.write(f"{message}\n")
    if replica := os.environ.get("CLOUDML_REPLICA"):
        (Path(replica) / "message").write_text(message, "utf-8")
    return 1


def _words(problem: Exception) -> str:
    if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full. Free space on it, then send the job again."
    return f"The batch prediction failed: {type(problem).__name__}: {problem}"
