"""Writes what a job reports: one JSON line per event in the job's folder; in the kernel a printed line."""

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
from typing import Any

# A bucket's mount shows what was appended only when the file is closed, and rewrites the whole object then.
_SECONDS_BETWEEN_CLOSES = 5.0
# What is shorter hides nothing, and masking it would make every log unreadable.
SHORTEST_SECRET = 4


class EventFile:
    """Appends events to `events.jsonl`; never lets a full disk or a lost mount stop the training."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._pending: list[str] = []
        self._closes = path.startswith("/gcs/") and os.path.ismount(os.path.join("/", *path.split("/")[:3]))
        self._last_close = 0.0
        self._descriptor: int | None = None
        self._failed = False
        self._secrets = _secret_values()

    def write(self, kind: str, *, urgent: bool = False, **fields: Any) -> None:
        """One event. `urgent` ones are not held back where writing is costly."""
        event = {"kind": kind, "time": round(time.time(), 6), **plain(fields)}
        if self._secrets:
            event = _masked(event, self._secrets)
        line = json.dumps(event, ensure_ascii=False, allow_nan=False) + "\n"
        with self._lock:
            self._pending.append(line)
            if not self._closes or urgent or time.monotonic() - self._last_close > _SECONDS_BETWEEN_CLOSES:
                self._append()

    def _append(self) -> None:
        content = "".join(self._pending).encode("utf-8", "backslashreplace")
        self._pending.clear()
        try:
            if self._descriptor is None:
                os.makedirs(os.path.dirname(self._path), exist_ok=True)
                content = self._line_break() + content
                self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            os.write(self._descriptor, content)
            if self._closes:
                os.close(self._descriptor)
                self._descriptor = None
                self._last_close = time.monotonic()
        except OSError as problem:
            if not self._failed:
                print(f"The job's events cannot be written: {problem}", file=sys.stderr, flush=True)
            self._failed = True

    def _line_break(self) -> bytes:
        """What a run of the job that was killed while it wrote owes to its last line."""
        try:
            with open(self._path, "rb") as file:
                file.seek(-1, os.SEEK_END)
                return b"" if file.read(1) == b"\n" else b"\n"
        except OSError:
            return b""

    def flush(self) -> None:
        """Makes everything visible."""
        with self._lock:
            if self._pending:
                self._append()


_events: EventFile | None = None
_warned: set[str] = set()
_reports = 0


def has_reported() -> bool:
    """Whether the code trained in a loop of its own and reported from it."""
    return _reports > 0


def report_to(events: EventFile | None) -> None:
    """From here on `report` writes events there; with None it prints alone, as it does in the kernel."""
    global _events, _reports
    _events, _reports = events, 0
    _warned.clear()


def report(step: int | None = None, **metrics: Any) -> None:
    """Reports metrics of a custom training loop: `report(step=3, loss=0.2)`. Works the same in job and kernel."""
    global _reports
    _reports += 1
    values = {name: number(value) for name, value in metrics.items()}
    at = None if step is None else int(number(step))
    print(_line([] if at is None else [f"step {at}"], values), flush=True)
    if _events is not None:
        _events.write("metric", step=at, metrics=values)
    warn_of_nonfinite(values, f"step {at}" if at is not None else "a report")


def warn(message: str) -> None:
    """Something that needs the user's eye."""
    print(f"Warning: {message}", file=sys.stderr, flush=True)
    if _events is not None:
        _events.write("warning", urgent=True, message=message)


def warn_of_nonfinite(values: dict[str, float], where: str) -> None:
    """Warns once of each metric that stopped being a number."""
    for name, value in values.items():
        if isinstance(value, float) and not math.isfinite(value) and name not in _warned:
            _warned.add(name)
            what = "is not a number (nan)" if math.isnan(value) else "grew without bound (inf)"
            warn(f"{name} {what} from {where} on; a smaller learning rate or a look at the data may help.")


def epoch_line(epoch: int, epochs: int, step: int, steps: int | None, seconds: float, metrics: dict[str, float]) -> str:
    """`Epoch 3/20 · 95/95 · 1.2 s · loss 0.34 · val_loss 0.41`"""
    return _line([f"Epoch {epoch}/{epochs}", f"{step}/{steps or step}", duration(seconds)], metrics)


def metric_line(title: str, metrics: dict[str, float]) -> str:
    """`Evaluation · accuracy 0.97 · loss 0.1`"""
    return _line([title], metrics)


def duration(seconds: float) -> str:
    """Seconds as people read them."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"


def _line(parts: list[str], metrics: dict[str, float]) -> str:
    return " · ".join(parts + [f"{name} {_shown(value)}" for name, value in metrics.items()])


def _shown(value: Any) -> str:
    return format(value, ".4g") if isinstance(value, float) else str(value)


def number(value: Any) -> Any:
    """A Python number of what may be a NumPy scalar or a tensor of any framework."""
    if isinstance(value, (bool, int, float)):
        return value
    try:
        detach = getattr(value, "detach", None)
        return float(detach() if detach else value)
    except (TypeError, ValueError, RuntimeError):
        name = type(value).__name__
        raise TypeError(f"report() takes single numbers, not {name} of shape {getattr(value, 'shape', '?')}") from None


def _secret_values() -> list[str]:
    """The values that no answer and no log may show, the longest first, since one may begin another."""
    names = os.environ.get("CLOUDML_SECRETS", "").split(",")
    values = {os.environ.get(name, "") for name in names if name}
    return sorted((value for value in values if len(value) >= SHORTEST_SECRET), key=len, reverse=True)


def _masked(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "***")
        return value
    if isinstance(value, dict):
        return {_masked(key, secrets): _masked(item, secrets) for key, item in value.items()}
    return [_masked(item, secrets) for item in value] if isinstance(value, list) else value


def plain(value: Any) -> Any:
    """What JSON can hold: non-finite numbers as words, keys as text."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
