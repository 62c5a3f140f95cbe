"""Counts what a model got right, batch by batch, and keeps the examples that it got most wrong."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cloudml_magic.pipeline.evaluation.examples import Batch
from cloudml_magic.pipeline.evaluation.scores import class_scores, shares, value_scores
from cloudml_magic.pipeline.evaluation.truths import class_indices
from cloudml_magic.records import ClassScores, ValueScores, WorstExample

MOST_WORST = 12


@dataclass(slots=True)
class Worst:
    """The few examples with the largest errors."""

    _kept: list[tuple[float, int, WorstExample]] = field(default_factory=list)

    def offer(self, error: float, example: WorstExample) -> None:
        """Keeps an example if it is among the worst so far; of two that are as bad the earlier one."""
        item = (error, -example.index, example)
        (heapq.heappush if len(self._kept) < MOST_WORST else heapq.heappushpop)(self._kept, item)

    def takes(self, error: float) -> bool:
        """Whether an error is large enough."""
        return len(self._kept) < MOST_WORST or error > self._kept[0][0]

    def examples(self) -> tuple[WorstExample, ...]:
        """The worst first."""
        return tuple(example for _, _, example in sorted(self._kept, key=lambda item: item[:2], reverse=True))


@dataclass(slots=True)
class ClassTally:
    """For a model that tells classes apart."""

    labels: Sequence[str]
    activation: str
    worst: Worst = field(default_factory=Worst)
    _truths: list[int] = field(default_factory=list)
    _answers: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self._truths)

    def add(self, batch: Batch, outputs: Any) -> None:
        """Takes the answers to a batch in."""
        got = shares(outputs, self.activation)
        truths, answers = class_indices(batch.truths, self.labels), got.argmax(axis=1)
        for index in (truths != answers).nonzero()[0]:
            # The less the true class got, the worse.
            error = 1 - float(got[index, truths[index]])
            if self.worst.takes(error):
                truth, answer = self.labels[truths[index]], self.labels[answers[index]]
                share = float(got[index, answers[index]])
                self.worst.offer(error, _example(batch, index, self.count, truth, answer, share))
        self._truths += truths.tolist()
        self._answers += answers.tolist()

    def scores(self) -> ClassScores:
        """The figures of all examples."""
        return class_scores(self._truths, self._answers, self.labels)


@dataclass(slots=True)
class ValueTally:
    """For a model that answers with a number."""

    worst: Worst = field(default_factory=Worst)
    _truths: list[float] = field(default_factory=list)
    _answers: list[float] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self._truths)

    def add(self, batch: Batch, outputs: Any) -> None:
        """Takes the answers to a batch in."""
        import numpy as np

        truths = np.asarray(batch.truths, dtype=np.float64).reshape(-1)
        answers = outputs.reshape(-1)
        for index, error in enumerate(np.abs(answers - truths)):
            if error and self.worst.takes(error):
                told = _example(batch, index, self.count, _number(truths[index]), _number(answers[index]), None)
                self.worst.offer(math.inf if math.isnan(error) else float(error), told)
        self._truths += truths.tolist()
        self._answers += answers.tolist()

    def scores(self) -> ValueScores:
        """The figures of all examples."""
        return value_scores(self._truths, self._answers)


def _example(batch: Batch, index: int, before: int, truth: str, answer: str, share: float | None) -> WorstExample:
    name, thumbnail, inputs = batch.shown(int(index))
    return WorstExample(before + int(index), truth, answer, share, name, thumbnail, inputs)


def _number(value: float) -> str:
    return f"{value:,.6g}"
