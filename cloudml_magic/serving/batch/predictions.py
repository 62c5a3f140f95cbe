"""Asks the engine, and writes what it answers as JSON, one text an instance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import orjson

from cloudml_magic.serving.answers import plain_values
from cloudml_magic.serving.batch.pieces import Piece, Refused
from cloudml_magic.serving.batch.questions import Asked, Question
from cloudml_magic.serving.engines import Engine, ModelRefusedError, Tensors

_BEGIN, _MIDDLE, _END = b'{"instance":', b',"prediction":', b"}\n"


@dataclass(frozen=True, slots=True)
class Answered:
    """A piece with its predictions: instances that have one, by number, and the others."""

    piece: Piece
    outputs: list[tuple[Sequence[int], Tensors]]
    errors: dict[int, str]


class OutputError(Exception):
    """A model that does not give one answer for each instance."""


def answered(asked: Asked, engine: Engine, outputs: Sequence[str]) -> Answered:
    """All predictions of a piece; one instance that the model refuses costs the others nothing."""
    found = [each for question in asked.questions for each in _run(engine, question, outputs, asked.errors)]
    return Answered(asked.piece, found, asked.errors)


def _run(
    engine: Engine, question: Question, names: Sequence[str], errors: dict[int, str]
) -> list[tuple[Sequence[int], Tensors]]:
    count = len(question.rows)
    try:
        outputs = engine.run(question.signature, question.tensors)
        for name in names:
            if outputs[name].ndim == 0 or len(outputs[name]) != count:
                raise OutputError(f"its output `{name}` has no row for each instance")
        return [(question.rows, {name: outputs[name] for name in names})]
    except Exception as problem:
        if count == 1:
            errors[question.rows[0]] = _words(problem)
            return []
    middle = count // 2
    return [
        *_run(engine, _part(question, 0, middle), names, errors),
        *_run(engine, _part(question, middle, count), names, errors),
    ]


def _part(question: Question, first: int, end: int) -> Question:
    tensors = {name: array[first:end] for name, array in question.tensors.items()}
    return Question(question.signature, question.rows[first:end], tensors)


def _words(problem: Exception) -> str:
    if isinstance(problem, ModelRefusedError):
        return f"The model refuses this instance: {str(problem).rstrip('.')}."
    if isinstance(problem, OutputError):
        return f"The model gives no prediction for this instance: {problem}."
    return f"The model failed on this instance: {type(problem).__name__}: {str(problem).strip()[:300]}"


# --- as text ---


def result_lines(answer: Answered) -> bytes:
    """`{"instance": …, "prediction": …}` for each that has one, in the order of the input."""
    texts = answer.piece.texts
    written: list[bytes] = []
    for rows, outputs in answer.outputs:
        instances = texts if len(rows) == len(texts) else [texts[row] for row in rows]
        before, predictions, behind = prediction_texts(outputs)
        next_line = behind + _END + _BEGIN
        lines = zip(instances, repeat(_MIDDLE + before), predictions, repeat(next_line))
        written += (_BEGIN, b"".join(chain.from_iterable(lines))[: -len(_BEGIN)])
    return b"".join(written)


def prediction_lines(answer: Answered) -> bytes:
    """Each prediction alone, an object by output, in the order of the input."""
    written: list[bytes] = []
    for _, outputs in answer.outputs:
        before, predictions, behind = prediction_texts(outputs, named=True)
        written += (before + text + behind + b"\n" for text in predictions)
    return b"".join(written)


def error_lines(answer: Answered) -> bytes:
    """The instances without a prediction, with their lines and the reasons."""
    piece = answer.piece
    refused = [*piece.refused]
    refused += [Refused(piece.lines[row], piece.texts[row], error) for row, error in answer.errors.items()]
    refused.sort(key=lambda each: each.line)
    return b"".join(error_line(piece.source, each) for each in refused)


def error_line(source: str, refused: Refused) -> bytes:
    """One line of the errors' file."""
    rest = orjson.dumps({"source": source, "line": refused.line, "error": refused.error})
    return _BEGIN + refused.text + b"," + rest[1:] + b"\n"


def prediction_texts(outputs: Tensors, *, named: bool = False) -> tuple[bytes, list[bytes], bytes]:
    """Each row's answer as JSON, but for what begins and ends all of them alike: a bare value, or an object."""
    columns = {name: _row_texts(plain_values(name, array)) for name, array in outputs.items()}
    if len(columns) == 1 and not named:
        return next(iter(columns.values()))
    parts: list[Any] = []
    glue = b"{"
    for name, (before, texts, behind) in columns.items():
        parts += (repeat(glue + orjson.dumps(name) + b":" + before), texts)
        glue = behind + b","
    return b"", list(map(b"".join, zip(*parts, strict=False))), glue[:-1] + b"}"


def _row_texts(values: Any) -> tuple[bytes, list[bytes], bytes]:
    """JSON of each row; of numbers that of all rows at once, cut where they end."""
    if isinstance(values, list):
        return b"", [orjson.dumps(value) for value in values], b""
    if values.size == 0:
        return b"", [orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY) for row in values], b""
    text = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)
    depth = values.ndim - 1
    opening, closing = b"[" * depth, b"]" * depth
    return opening, text[1 + depth : -1 - depth].split(closing + b"," + opening), closing
