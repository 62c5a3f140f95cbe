"""How good a model is on data whose truth is known: what `%ml_evaluate` does, from Python."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.evaluation.askable import Askable, askable
from cloudml_magic.pipeline.evaluation.examples import Batch, Examples, examples_of_values
from cloudml_magic.pipeline.evaluation.folders import examples_of_folder
from cloudml_magic.pipeline.evaluation.kernel_model import Preprocess
from cloudml_magic.pipeline.evaluation.tallies import ClassTally, ValueTally
from cloudml_magic.pipeline.evaluation.truths import are_names, labels_for
from cloudml_magic.pipeline.options import split_labels
from cloudml_magic.pipeline.sent_job import Job
from cloudml_magic.pipeline.session import notebook_namespace
from cloudml_magic.records import Evaluation
from cloudml_magic.trainer.export.labels import as_names

_PROBABILITIES = ("sigmoid", "logits")


def evaluate(
    model: Any,
    data: Any,
    *,
    labels: str | Sequence[str] | None = None,
    label: str | None = None,
    preprocess: Preprocess = None,
    trust: bool = False,
    wait: Callable[[Job], None] = lambda job: (job.wait(), None)[1],
) -> Evaluation:
    """Scores a job's model, a Keras model, a deployed one or a `.keras` file.

    `data` is a folder (or gs://…) with a folder of pictures for each class, a pair (x, y), a frame whose column `label`
    is the truth, or a tf.data.Dataset. `labels` are the names of the model's classes, in the order of its outputs.
    """
    known = _names(labels)
    asked = askable(model, preprocess, trust, wait)
    began = time.perf_counter()
    examples = _examples(data, asked, label)
    tally: ClassTally | ValueTally | None = None
    for batch in examples.batches():
        outputs = _rows(_answered(asked, batch), len(batch.truths), asked.name)
        tally = tally or _tally(asked, examples, batch, outputs, known or asked.labels)
        tally.add(batch, outputs)
    if tally is None:
        raise CloudMLError("no-instances", "There are no examples.", next="Give at least one.")
    return Evaluation(
        model=asked.name,
        count=tally.count,
        scores=tally.scores(),
        worst=tally.worst.examples(),
        seconds=time.perf_counter() - began,
        notes=tuple(examples.notes),
    )


def _examples(data: Any, asked: Askable, label: str | None) -> Examples:
    if not isinstance(data, str | Path):
        return examples_of_values(data, label, asked.rank)
    if asked.picture is None:
        raise CloudMLError(
            "no-picture-model",
            f"The model {asked.name} takes no picture files, so a folder of them cannot be evaluated.",
            next="Give a pair `(x, y)`, a frame with a column of labels, or a tf.data.Dataset.",
        )
    return examples_of_folder(str(data), asked.picture)


def _answered(asked: Askable, batch: Batch) -> Any:
    return asked.of_pictures(batch.pictures) if batch.pictures else asked.of_values(batch.values)


def _rows(outputs: Any, count: int, name: str) -> Any:
    """A row of numbers for each example."""
    if outputs.ndim == 1 and len(outputs) == count:
        return outputs.reshape(count, 1)
    if outputs.ndim != 2 or len(outputs) != count:
        raise CloudMLError(
            "not-evaluable",
            f"The model {name} cannot be evaluated.",
            why=f"For {count} examples it answers with numbers of shape {list(outputs.shape)};"
            " an evaluation is of one row of classes, or of one number, for each.",
            next="Evaluate a model whose last layer is `Dense`, over classes or with one unit.",
        )
    return outputs


def _tally(
    asked: Askable, examples: Examples, batch: Batch, outputs: Any, known: Sequence[str]
) -> ClassTally | ValueTally:
    """Whether the model tells classes apart or gives a number; one number is told by what made it and by the truth."""
    activation = asked.activation(outputs)
    if outputs.shape[1] == 1 and activation not in _PROBABILITIES:
        is_told = are_names(batch.truths) or batch.truths.dtype.kind == "b"
        if not (is_told or known):
            return ValueTally()
        if activation or not ((outputs >= 0) & (outputs <= 1)).all():
            raise CloudMLError(
                "not-evaluable",
                f"The model {asked.name} gives one number, and its truths are classes.",
                why=f"Nothing says that the number is a probability; its last activation is {activation or 'unknown'}.",
                next="End the model with a sigmoid, or give the truth as numbers.",
            )
    count = max(2, outputs.shape[1])
    return ClassTally(labels_for(examples.class_names, known, count), activation)


def _names(labels: str | Sequence[str] | None) -> tuple[str, ...]:
    """The names themselves, or those that a variable of the notebook holds."""
    given = split_labels(labels) if isinstance(labels, str) else labels
    if given is None:
        return ()
    value = notebook_namespace().get(given) if isinstance(given, str) else given
    names = as_names(getattr(value, "class_names", value))
    if names is None:
        raise CloudMLError(
            "bad-option",
            f"--labels {given} is no list of names.",
            next="Give the names, `--labels cat,dog`, or a variable that holds them.",
        )
    return tuple(names)
