"""The entry of each package: runs the captured module under the runtime, reports, saves, and ends the process."""

from __future__ import annotations

import atexit
import io
import os
import platform
import sys
import threading
from types import ModuleType

from . import reporting
from .captured import CapturedModule, main_module
from .checkpoints import Checkpoints
from .data_files import place_data
from .device import report_device
from .failures import Failure, describe
from .fit_reports import FitReports
from .job_folder import JobFolder, mounted
from .keras_weights import place_weights
from .outcome import ModelNotSavedError, save_outcome
from .reporting import EventFile
from .shipped import load
from .stopping import STOPPED, JobStopped, stop
from .submitted import check_package

SUCCEEDED, FAILED = 0, 1


def main() -> None:
    """Runs the job from start to end; never returns."""
    check_package()
    _buffer_lines()
    job = JobFolder.of_environment()
    path = job.path("events.jsonl")
    events = EventFile(path) if path else None
    reporting.report_to(events)
    module = main_module()
    try:
        code = _run(job, events, module)
    except ModelNotSavedError as problem:
        # Its failure is reported already, with its cause and what to do.
        code = FAILED
        print(problem, file=sys.stderr)
    except BaseException as problem:
        # A fault of the runtime itself, told as it is.
        code = FAILED
        sys.excepthook(type(problem), problem, problem.__traceback__)
        if events is not None:
            events.write("failure", urgent=True, **Failure(message=f"{type(problem).__name__}: {problem}").fields())
    _leave(code, events)


def _run(job: JobFolder, events: EventFile | None, module: ModuleType) -> int:
    captured = CapturedModule(os.path.dirname(os.path.abspath(__file__)), job.cells)
    sys.argv[0] = captured.file_name
    stop.install()
    _report_start(events)
    for message in job.warnings:
        reporting.warn(message)
    checkpoints = Checkpoints.of_job(job.path("checkpoints", "cloudml"), job.resume)
    reports = FitReports(events, lambda: report_device(events), checkpoints)
    reports.install()
    failure: Failure | None = None
    code = SUCCEEDED
    try:
        place_data(job.data, job.stage)
        place_weights(job.weights)
        for name, address in job.shipped.items():
            module.__dict__[name] = load(mounted(address))
        if job.tensorboard:
            from .tensorboard_log import log_epochs

            log_epochs(reports, job.path("logs"), events)
        captured.run_in(module)
    except JobStopped:
        code = STOPPED
    except SystemExit as leaving:
        failure = _of_exit(leaving, captured)
        code = leaving.code if isinstance(leaving.code, int) else int(failure is not None)
    except BaseException as problem:
        code = STOPPED if stop.asked else FAILED
        failure = None if stop.asked else describe(problem, captured)
    stop.ignore()
    if failure is not None:
        print(failure.traceback or failure.message, file=sys.stderr, flush=True)
        if events is not None:
            events.write("failure", urgent=True, **failure.fields())
    if failure is None or reports.rows:
        # Also after a failure: an error behind hours of training must not cost the training.
        if reports.rows or reporting.has_reported():
            # Finding the device out wakes the framework up: not for code that computed nothing with it.
            report_device(events)
        save_outcome(job, module, reports, events)
    if code == SUCCEEDED:
        if checkpoints is not None:
            checkpoints.remove()
        if events is not None:
            events.write("finished", urgent=True)
    return code & 0xFF


def _of_exit(leaving: SystemExit, captured: CapturedModule) -> Failure | None:
    if leaving.code is None or leaving.code == 0:
        return None
    return describe(leaving, captured)


def _report_start(events: EventFile | None) -> None:
    if events is None:
        return
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    events.write(
        "started",
        urgent=True,
        python=platform.python_version(),
        keras=_version("keras"),
        backend=backend,
        backend_version=_version(backend) or _version(f"{backend}-cpu"),
    )


def _version(distribution: str) -> str | None:
    # Read off the folder of its metadata: importing Keras here would import it also for code that needs none, and
    # importlib.metadata alone takes longer than the rest of the start.
    start = distribution.replace("-", "_") + "-"
    for folder in sys.path:
        if os.path.isdir(folder):
            for name in os.listdir(folder):
                if name.startswith(start) and name.endswith(".dist-info"):
                    return name[len(start) : -len(".dist-info")]
    return None


def _buffer_lines() -> None:
    # A pipe would otherwise hold lines back until eight kilobytes are together.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")


def _leave(code: int, events: EventFile | None) -> None:
    """Ends without tearing the interpreter down, which with TensorFlow costs more than a second.

    What a program may count on still happens: threads that are no daemons end, `atexit` functions run, and standard
    output and error are flushed. Destructors of objects that are still alive do not run.
    """
    try:
        if code == SUCCEEDED:
            for thread in threading.enumerate():
                if thread is not threading.current_thread() and not thread.daemon:
                    thread.join()
        atexit._run_exitfuncs()
    except BaseException as problem:
        print(f"At exit: {type(problem).__name__}: {problem}", file=sys.stderr)
    if events is not None:
        events.flush()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or FAILED
    os._exit(code)


if __name__ == "__main__":
    main()
