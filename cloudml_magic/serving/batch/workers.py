"""One process per share; a single share is worked on in the process itself."""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable, Sequence

from cloudml_magic.errors import CloudMLError
from cloudml_magic.model_folder import read_folder
from cloudml_magic.serving.batch.confirmed import Confirmed, read_confirmed
from cloudml_magic.serving.batch.reports import say
from cloudml_magic.serving.batch.shares import Range
from cloudml_magic.serving.batch.specification import Specification

_DIE_WITH_PARENT = 1
_GONE_WRONG = 2
Counted = Callable[[int, int, int], None]
"""Told of a share, how many of its instances are done, and how many of these failed."""
OnStop = Callable[[Callable[[], None]], None]
"""Takes what is to be called when it is time to stop."""


def run_workers(
    specification: Specification, shares: Sequence[Sequence[Range]], counted: Counted, on_stop: OnStop
) -> None:
    """Works on all shares until they are finished or told to stop."""
    if len(shares) == 1:
        _work(specification, 0, shares[0], lambda one: counted(0, one.done, one.failed), on_stop)
        return
    workers = [
        _Worker(specification, number, ranges, len(shares))
        for number, ranges in enumerate(shares)
        if not _is_finished(specification, number)
    ]

    def stop() -> None:
        for worker in workers:
            worker.send(signal.SIGTERM)

    on_stop(stop)
    try:
        _follow(workers, counted)
    finally:
        for worker in workers:
            worker.kill()
    for worker in workers:
        worker.check()


def _is_finished(specification: Specification, number: int) -> bool:
    found = read_confirmed(specification, number)
    return found is not None and found.finished


def _work(
    specification: Specification,
    number: int,
    ranges: Sequence[Range],
    progress: Callable[[Confirmed], None],
    on_stop: OnStop,
) -> None:
    from cloudml_magic.serving.batch.share import ShareWork
    from cloudml_magic.serving.loading import chosen_engine

    engine = chosen_engine(specification.model_folder, specification.engine_folder)
    if not number:
        say(f"It answers with {'ONNX Runtime' if engine.name == 'onnxruntime' else 'TensorFlow'}.")
    work = ShareWork(specification, number, ranges, read_folder(specification.model_folder), engine, progress)
    on_stop(work.stop)
    work.run()


class _Worker:
    """A child that works on one share and tells how far it is, line by line."""

    def __init__(self, specification: Specification, number: int, ranges: Sequence[Range], count: int) -> None:
        self.number = number
        self._status: int | None = None
        self._rest = b""
        self.error: list[str] = []
        self.end, writer = os.pipe()
        sys.stdout.flush()
        self._pid = os.fork()
        if not self._pid:
            os.close(self.end)
            _become_worker(specification, number, ranges, count, writer)
        os.close(writer)

    def read(self) -> list[dict[str, int]] | None:
        """What it told since; None when it has ended."""
        chunk = os.read(self.end, 65536)
        if not chunk:
            return None
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        told = [json.loads(line) for line in lines]
        self.error = next((each["error"] for each in told if "error" in each), self.error)
        return [each for each in told if "done" in each]

    def send(self, number: int) -> None:
        if self._status is None:
            os.kill(self._pid, number)

    def wait(self) -> None:
        if self._status is None:
            self._status = os.waitpid(self._pid, 0)[1]

    @property
    def ended_well(self) -> bool:
        return self._status == 0

    def kill(self) -> None:
        """Ends it where it did not end by itself: another one has failed."""
        if self._status is None:
            self.send(signal.SIGKILL)
            self.wait()
            self._status = 0

    def check(self) -> None:
        """Raises what went wrong in it; dies as it died."""
        if self.error:
            raise CloudMLError(*self.error)
        assert self._status is not None
        if os.WIFSIGNALED(self._status):
            # One share cannot be finished without the others: whoever watches starts all of them again.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), os.WTERMSIG(self._status))
        if os.WEXITSTATUS(self._status) == _GONE_WRONG:
            raise CloudMLError("worker-failed", f"Worker {self.number + 1} failed; the log says why.")


def _follow(workers: Sequence[_Worker], counted: Counted) -> None:
    living = {worker.end: worker for worker in workers}
    while living:
        for end in select.select(list(living), [], [])[0]:
            worker = living[end]
            told = worker.read()
            if told is None:
                del living[end]
                os.close(end)
                worker.wait()
                if worker.error or not worker.ended_well:
                    return
                continue
            for each in told[-1:]:
                counted(worker.number, each["done"], each["failed"])


def _become_worker(specification: Specification, number: int, ranges: Sequence[Range], count: int, writer: int) -> None:
    code = _GONE_WRONG
    try:
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
        cores = sorted(os.sched_getaffinity(0))
        # Each its own cores: engines count them when they are loaded.
        os.sched_setaffinity(0, cores[number % len(cores) :: count] or cores[:1])
        stops: list[Callable[[], None]] = []
        asked: list[int] = []

        def on_signal(signal_number: int, frame: object) -> None:
            asked.append(signal_number)
            for stop in stops:
                stop()

        def on_stop(stop: Callable[[], None]) -> None:
            stops.append(stop)
            if asked:
                stop()

        def tell(one: Confirmed) -> None:
            os.write(writer, json.dumps({"done": one.done, "failed": one.failed}).encode() + b"\n")

        signal.signal(signal.SIGTERM, on_signal)
        _work(specification, number, ranges, tell, on_stop)
        code = 0
    except CloudMLError as problem:
        error = [problem.reference, problem.what, problem.why, problem.next]
        os.write(writer, json.dumps({"error": error}).encode() + b"\n")
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
