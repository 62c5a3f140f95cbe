"""How everything here is measured: cases take turns, each figure is a median of at least seven."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROUNDS = 7


@dataclass(frozen=True)
class Row:
    """One line of the table: what, the figure with its unit, the bar (the most or the least), and if it is met."""

    what: str
    figure: float
    unit: str
    bar: float
    at_least: bool = False

    def __str__(self) -> str:
        mark = "met" if (self.figure >= self.bar if self.at_least else self.figure <= self.bar) else "NOT MET"
        return f"{self.what:<66} {self.figure:>9.3g} {self.unit:<8} bar {self.bar:<6g} {mark}"


def seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def side_by_side(*cases: Callable[[], float], rounds: int = ROUNDS) -> list[list[float]]:
    """Lets the cases take turns; a drift of the machine meets all of them alike."""
    taken: list[list[float]] = [[] for _ in cases]
    for _ in range(rounds):
        for times, case in zip(taken, cases, strict=True):
            times.append(case())
    return taken


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the ratios pair by pair."""
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


def median(values: list[float]) -> float:
    return statistics.median(values)


def calibration() -> float:
    """Seconds that this machine takes now for a fixed piece of Python: absolute figures are read beside it."""

    def work() -> None:
        sum(number * number % 7 for number in range(1_000_000))

    return median([seconds(work) for _ in range(ROUNDS)])


@contextmanager
def own_home() -> Iterator[Path]:
    """A HOME of its own, with a platform of its own that is stopped at the end."""
    import os

    from cloudml_magic.local_platform import lifecycle

    before = os.environ["HOME"]
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["HOME"] = folder
        try:
            yield Path(folder)
        finally:
            lifecycle.stop()
            os.environ["HOME"] = before
