"""A prediction in the words that its card shows; whatever a model or a file name says is cleaned first."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from cloudml_magic.records import PredictedInstance, PredictedOutput, Prediction
from cloudml_magic.wording import clean

MOST_CLASSES = 5
_LONGEST_TEXT = 80
_MOST_NUMBERS = 8
_MOST_SHOWN = 24
_LEAST_SHARE = 0.0001
_INPUT_DIGITS = 6


@dataclass(frozen=True, slots=True)
class OutputView:
    """One output for one instance: bars for its classes, best first, or its numbers in words."""

    name: str
    bars: tuple[tuple[str, float], ...]
    words: str


@dataclass(frozen=True, slots=True)
class InstanceView:
    """One instance as a row or a tile."""

    name: str
    thumbnail: bytes | None = field(repr=False)
    inputs: dict[str, str]
    numbers: frozenset[str]
    outputs: tuple[OutputView, ...]

    def output(self, name: str) -> OutputView | None:
        """The output of a name, if this instance has it."""
        return next((output for output in self.outputs if output.name == name), None)


@dataclass(frozen=True, slots=True)
class PredictionView:
    """Everything that a card shows."""

    title: str
    headline: str
    notes: tuple[str, ...]
    instances: tuple[InstanceView, ...]
    count: int

    @classmethod
    def of(cls, prediction: Prediction) -> PredictionView:
        """The instances that are told; the values of all of them are in the variable of `--into`."""
        count = len(prediction.values)
        title = clean(f"{prediction.model}/{prediction.version}")
        noun = "picture" if any(each.thumbnail for each in prediction.instances) else "instance"
        told = f"{count:,} {noun}{'' if count == 1 else 's'} · {latency(prediction.seconds)}"
        return cls(
            title=title,
            headline=told + (f" · served on {clean(prediction.where)}" if prediction.where else ""),
            notes=tuple(clean(note) for note in prediction.notes),
            instances=tuple(_instance(each) for each in prediction.instances),
            count=count,
        )

    @property
    def shown(self) -> tuple[InstanceView, ...]:
        """As many as a card without pages shows."""
        return self.instances[:_MOST_SHOWN]

    @property
    def left_out(self) -> int:
        """How many it does not show."""
        return max(0, self.count - len(self.shown))

    @property
    def has_pictures(self) -> bool:
        return any(instance.thumbnail for instance in self.instances)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Every output that any instance has; a model from elsewhere may answer each instance differently."""
        return tuple(dict.fromkeys(output.name for instance in self.instances for output in instance.outputs))

    @property
    def input_names(self) -> tuple[str, ...]:
        """Every input that is shown beside the predictions."""
        return tuple(dict.fromkeys(name for instance in self.instances for name in instance.inputs))

    def is_numeric(self, name: str) -> bool:
        """Whether an input is a number in every row, so that its column lines up at the right."""
        return all(name in instance.numbers for instance in self.instances)

    @property
    def output_headings(self) -> tuple[str, ...]:
        """Outputs have to be told apart only where there are several."""
        return self.output_names if len(self.output_names) > 1 else ("prediction",) * len(self.output_names)


def latency(seconds: float) -> str:
    """`0.8 ms`, `12 ms`, `3.4 s`."""
    if seconds < 0.01:
        return f"{1000 * seconds:.1f} ms"
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def percent(share: float) -> str:
    """Shares as people read them; what is nearly nothing is not called nothing."""
    if not math.isfinite(share):
        return str(share)
    return f"{100 * share:.1f} %" if share >= 0.0005 or share <= 0 else "< 0.1 %"


def words(value: Any, digits: int = 4) -> str:
    """A plain value in a line."""
    if isinstance(value, bool | int) or value is None:
        return str(value)
    if isinstance(value, float):
        return _number(value, digits)
    if isinstance(value, list):
        shown = ", ".join(words(item, digits) for item in value[:_MOST_NUMBERS])
        return f"[{shown}, … {len(value) - _MOST_NUMBERS} more]" if len(value) > _MOST_NUMBERS else f"[{shown}]"
    text = clean(str(value)).replace("\n", " ")
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _number(value: float, digits: int) -> str:
    if value and math.isfinite(value) and (abs(value) < 0.001 or abs(value) >= 1e7):
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{digits if abs(value) < 1000 else max(digits, 6)}g}"


def _instance(instance: PredictedInstance) -> InstanceView:
    return InstanceView(
        name=words(instance.name),
        thumbnail=instance.thumbnail,
        inputs={clean(name): words(value, _INPUT_DIGITS) for name, value in instance.inputs.items()},
        numbers=frozenset(clean(name) for name, value in instance.inputs.items() if _is_number(value)),
        outputs=tuple(_output(output) for output in instance.outputs),
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _output(output: PredictedOutput) -> OutputView:
    # Classes that got nothing are no news; the best one is, whatever it got.
    told = [pair for index, pair in enumerate(output.classes[:MOST_CLASSES]) if not index or not pair[1] < _LEAST_SHARE]
    bars = tuple((words(label), share) for label, share in told)
    value = output.value
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return OutputView(clean(output.name), bars, words(value))
