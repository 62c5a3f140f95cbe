"""Says why the code failed as its user would: one sentence, the cell and line, and what to do next."""

from __future__ import annotations

import errno
import os
import re
import traceback
from dataclasses import dataclass
from typing import Any

from .captured import CapturedModule
from .hints import hint_for

_LONGEST_MESSAGE = 400
_LINES_BEFORE = 2
_OUT_OF_MEMORY = re.compile(r"RESOURCE_EXHAUSTED|out of memory|OOM when allocating|failed to allocate", re.IGNORECASE)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_DISK_FULL = "No space left on device"
_MISSING_PATH = re.compile(
    r"(?:NewRandomAccessFile failed to Create/Open: |for )?(\S+)\s*[;:] No such file or directory"
)

# What people import under another name than they install.
_DISTRIBUTIONS = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "PIL": "pillow",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}


@dataclass(frozen=True)
class Failure:
    """What the `failure` event carries."""

    message: str
    cause: str = "error"
    cell: str | None = None
    line: int | None = None
    source_line: str | None = None
    source: tuple[dict[str, Any], ...] = ()
    traceback: str | None = None
    next: str | None = None

    def fields(self) -> dict[str, Any]:
        return dict(self.__dict__)


def describe(problem: BaseException, captured: CapturedModule) -> Failure:
    """The failure that an exception of the user's code is."""
    message, cause, advice = _named(problem)
    summary = traceback.TracebackException.from_exception(problem, compact=True)
    cell, line, source_line = _where(summary, captured)
    source = _source(captured.cells[cell], line) if cell and line else ()
    return Failure(
        message=message,
        cause=cause,
        cell=cell,
        line=line,
        source_line=source_line,
        source=source,
        traceback=_formatted(summary, captured),
        next=advice,
    )


def _named(problem: BaseException) -> tuple[str, str, str | None]:
    """Message, cause and advice."""
    text = _essence(str(problem))
    kind = type(problem).__name__
    if isinstance(problem, SystemExit):
        return _of_exit(problem)
    if _is_disk_full(problem):
        return "The disk is full.", "disk_full", "Free space, or let the job write less."
    if _is_out_of_memory(problem):
        return (
            f"Out of memory: {_short(text or kind)}",
            "out_of_memory",
            ("Use a smaller batch_size or model, or a machine with more memory (--machine, --gpu)."),
        )
    if isinstance(problem, ModuleNotFoundError) and problem.name:
        name = problem.name.partition(".")[0]
        advice = f"Add --requires {_DISTRIBUTIONS.get(name, name)} to the magic's line."
        return f"The module {problem.name!r} is not installed in the job.", "missing_module", advice
    path = _missing_path(problem)
    if path is not None:
        return f"There is no file {path!r} in the job.", "missing_file", _advice_for_file(path)
    hint = hint_for(kind, str(problem))
    if hint is not None:
        return hint[0], "error", hint[1]
    if isinstance(problem, KeyboardInterrupt):
        return "The code was interrupted (KeyboardInterrupt).", "error", None
    return _short(f"{kind}: {text}" if text else kind), "error", None


def _of_exit(problem: SystemExit) -> tuple[str, str, str | None]:
    if isinstance(problem.code, int):
        return f"The code called sys.exit({problem.code}).", "error", None
    return f"The code called sys.exit: {_short(str(problem.code))}", "error", None


def _is_disk_full(problem: BaseException) -> bool:
    if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return _DISK_FULL in str(problem)


def _is_out_of_memory(problem: BaseException) -> bool:
    if isinstance(problem, MemoryError) or type(problem).__name__ in ("ResourceExhaustedError", "OutOfMemoryError"):
        return True
    return isinstance(problem, RuntimeError) and bool(_OUT_OF_MEMORY.search(str(problem)))


def _missing_path(problem: BaseException) -> str | None:
    if isinstance(problem, FileNotFoundError):
        if isinstance(problem.filename, (str, bytes)):
            return os.fsdecode(problem.filename)
        text = str(problem)
        found = _MISSING_PATH.search(text) or re.search(r"[`'\"]([^`'\"]+)[`'\"]|(\S+) not found", text)
        return next(filter(None, found.groups()), None) if found else None
    if type(problem).__name__ == "NotFoundError":
        found = _MISSING_PATH.search(str(problem))
        return found.group(1) if found else None
    # Keras says so in a ValueError of its own.
    found = re.search(r"(?:File|Directory) not found: filepath=(\S+?)\.? ", str(problem) + " ")
    return found.group(1) if found else None


def _advice_for_file(path: str) -> str:
    if path.startswith(("gs://", "/gcs/")):
        return "Look whether the object is in the bucket: the address may have a slip."
    if os.path.isabs(path):
        return "Use a relative path in the code, and --data to bring the file there."
    return f"Add --data {path} to the magic's line."


def _essence(text: str) -> str:
    """The line that says it: TensorFlow wraps it into a story of nodes."""
    lines = [line.strip() for line in _COLOURS.sub("", text).strip().splitlines()]
    if lines and lines[0].startswith("Exception encountered when calling"):
        lines = lines[1:]
    if lines and lines[0].startswith("Graph execution error"):
        told = [
            line for line in lines[1:] if line and not line.startswith(("Detected at", "<stack", "File ", "[[", "("))
        ]
        told = [line for line in told if not re.match(r"\d+ successful operations|Errors? found|node: |\^", line)]
        return told[0] if told else lines[0]
    return next((line for line in lines if line), "")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 1] + "…"


def _where(
    summary: traceback.TracebackException, captured: CapturedModule
) -> tuple[str | None, int | None, str | None]:
    for frame in reversed(summary.stack):
        if frame.filename in captured.cells:
            return frame.filename, frame.lineno, (frame.line or "").strip() or None
    return None, None, None


def _source(text: str, line: int) -> tuple[dict[str, Any], ...]:
    """The offending line and those before it, as the editor counts them."""
    # By line feeds alone: other separators end no line of Python, nor of the editor.
    lines = text.split("\n")
    first = max(1, line - _LINES_BEFORE)
    return tuple(
        {"line": number, "text": lines[number - 1][:_LONGEST_MESSAGE]}
        for number in range(first, min(line, len(lines)) + 1)
    )


def _formatted(summary: traceback.TracebackException, captured: CapturedModule) -> str:
    seen: set[int] = set()
    part: traceback.TracebackException | None = summary
    while part is not None and id(part) not in seen:
        seen.add(id(part))
        _trim(part, captured)
        part = part.__cause__ or part.__context__
    text = "".join(summary.format())
    text = re.sub(r'File "(In \[[^"]*\])", line', r"\1, line", text)
    return text.replace(os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep, "").rstrip()


def _trim(summary: traceback.TracebackException, captured: CapturedModule) -> None:
    """Leaves out the runtime's own frames, before and between the notebook's."""
    own = os.path.dirname(os.path.abspath(__file__)) + os.sep
    first = next((i for i, frame in enumerate(summary.stack) if captured.is_cell(frame.filename)), 0)
    kept = [
        frame
        for frame in summary.stack[first:]
        if not os.path.abspath(frame.filename).startswith(own) or captured.is_cell(frame.filename)
    ]
    summary.stack[:] = kept
